"""The counts a synthetic province is calibrated to.

Henan's education bulletin of 2023 (repeated by big5.huaxia.com): 9.63 million primary pupils in 268,200 classes (35.9 a
class) of 16,400 schools and 8,900 teaching points with 601,000 teachers (16.0 pupils each); compulsory education
together 14.71 million pupils in 373,900 classes with 953,000 teachers and 21,100 schools, which leaves lower secondary
5.08 million pupils in 105,700 classes (48.1 a class) of 4,700 schools with 352,000 teachers (14.4). Of all classes
1.30 % had 56 to 65 pupils and 0.04 % 66 or more. Guangzhou's yearbook of 2022, table 18-1: 13 % of the full-time
teachers teach upper secondary, taken here as its share of pupils too.

Assumed, for want of a source: 50 pupils a class and 12.5 per teacher in upper secondary, 12 pupils a class in teaching
points (which leaves 38.5 in primary schools themselves), and which schools are rural (all teaching points, 55 % of
primary, 35 % of lower and 5 % of upper secondary).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of school: its share of all pupils, its grades, and how its classes are filled and staffed."""

    name: str
    suffix: str
    share: float
    first_grade: int
    grades: int
    classes_per_grade: float
    class_size: float
    class_spread: float
    pupils_per_teacher: float
    rural_share: float
    subjects: int


POINT_PUPILS_PER_CLASS = 12.0
_POINT_SHARE = 8_900 * 3 * POINT_PUPILS_PER_CLASS / 14_710_000 * 0.87
TEACHING_POINT = Stage("point", "教学点", _POINT_SHARE, 1, 3, 1.0, POINT_PUPILS_PER_CLASS, 3.0, 8.0, 1.0, 4)
PRIMARY = Stage("primary", "小学", 9.63 / 14.71 * 0.87 - _POINT_SHARE, 1, 6, 2.6, 37.6, 6.0, 16.3, 0.55, 8)
JUNIOR = Stage("junior", "初级中学", 5.08 / 14.71 * 0.87, 7, 3, 7.5, 47.6, 4.0, 14.4, 0.35, 10)
SENIOR = Stage("senior", "高级中学", 0.13, 10, 3, 13.0, 49.5, 3.0, 12.5, 0.05, 10)
STAGES = (PRIMARY, TEACHING_POINT, JUNIOR, SENIOR)

LARGE_SHARE = 0.0130  # classes of 56 to 65
HUGE_SHARE = 0.0004  # classes of 66 and more
LARGEST_USUAL = 55
PEOPLE_PER_COUNTY = 60_000
COUNTIES_PER_CITY = 9
OFFICERS_PER_BUREAU = 6
GROUP_SHARE = 0.15  # of urban schools, in education groups
CAMPUS_SHARE = 0.08  # of urban schools, with a second campus
# A rural class is smaller than an urban one by this much, the mean of both staying as counted.
RURAL_FACTOR = 0.85
MAX_PEOPLE = 10_000_000
