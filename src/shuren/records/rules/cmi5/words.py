"""The words of cmi5: verbs, categories, extensions, and the values a course structure is written in."""

from enum import StrEnum

ADL = "http://adlnet.gov/expapi/verbs/"
W3ID = "https://w3id.org/xapi/adl/verbs/"
INITIALIZED, COMPLETED, PASSED = f"{ADL}initialized", f"{ADL}completed", f"{ADL}passed"
FAILED, TERMINATED, LAUNCHED = f"{ADL}failed", f"{ADL}terminated", f"{ADL}launched"
ABANDONED, WAIVED, SATISFIED = f"{W3ID}abandoned", f"{W3ID}waived", f"{W3ID}satisfied"
# What a unit itself may say; the rest is said by the system.
UNIT_VERBS = frozenset({INITIALIZED, COMPLETED, PASSED, FAILED, TERMINATED})
CMI5_CATEGORY = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
MOVE_ON_CATEGORY = "https://w3id.org/xapi/cmi5/context/categories/moveon"
_CONTEXT = "https://w3id.org/xapi/cmi5/context/extensions/"
SESSION_ID, MASTERY_SCORE = f"{_CONTEXT}sessionid", f"{_CONTEXT}masteryscore"
LAUNCH_MODE, LAUNCH_URL = f"{_CONTEXT}launchmode", f"{_CONTEXT}launchurl"
MOVE_ON, LAUNCH_PARAMETERS = f"{_CONTEXT}moveon", f"{_CONTEXT}launchparameters"
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
REASON = "https://w3id.org/xapi/cmi5/result/extensions/reason"
BLOCK_TYPE = "https://w3id.org/xapi/cmi5/activitytype/block"
COURSE_TYPE = "https://w3id.org/xapi/cmi5/activitytype/course"
LAUNCH_DATA = "LMS.LaunchData"
PREFERENCES = "cmi5LearnerPreferences"
# Names in the launch address, which no address in a course structure may use for anything else.
LAUNCH_NAMES = ("endpoint", "fetch", "actor", "registration", "activityId")


class PartKind(StrEnum):
    """A course is made of assignable units, and of blocks that gather them."""

    BLOCK = "block"
    UNIT = "au"


class MoveOn(StrEnum):
    """What makes a unit count as done (13.1.4)."""

    PASSED = "Passed"
    COMPLETED = "Completed"
    BOTH = "CompletedAndPassed"
    EITHER = "CompletedOrPassed"
    NOT_APPLICABLE = "NotApplicable"


class LaunchMethod(StrEnum):
    ANY_WINDOW = "AnyWindow"
    OWN_WINDOW = "OwnWindow"


class LaunchMode(StrEnum):
    """Only in Normal mode may a unit tell how somebody did (10.0)."""

    NORMAL = "Normal"
    BROWSE = "Browse"
    REVIEW = "Review"


class WaiveReason(StrEnum):
    """Why somebody need not take a unit (9.5.5.2)."""

    TESTED_OUT = "Tested Out"
    EQUIVALENT_UNIT = "Equivalent AU"
    EQUIVALENT_OUTSIDE = "Equivalent Outside Activity"
    ADMINISTRATIVE = "Administrative"
