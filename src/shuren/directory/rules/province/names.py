"""Names of people and places: surnames as frequent as in the census, given names by era and sex, places that do not exist."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# The commonest surnames with their share of the population in per mille (sixth census, rounded; the rest share the remainder).
_SURNAMES = (
    "李 79 王 74 张 71 刘 54 陈 47 杨 31 赵 27 黄 25 周 25 吴 24 徐 17 孙 15 胡 15 朱 14 高 13 林 13 何 12 郭 12 马 11 罗 10 梁 9 宋 8 郑 8 谢 8 韩 7 "
    "唐 7 冯 7 于 7 董 6 萧 6 程 6 曹 6 袁 6 邓 6 许 6 傅 5 沈 5 曾 5 彭 5 吕 5 苏 5 卢 5 蒋 5 蔡 5 贾 4 丁 4 魏 4 薛 4 叶 4 阎 4 余 4 潘 4 杜 4 戴 4 夏 4 "
    "钟 4 汪 4 田 4 任 4 姜 4 范 4 方 3 石 3 姚 3 谭 3 廖 3 邹 3 熊 3 金 3 陆 3 郝 3 孔 3 白 3 崔 3 康 3 毛 3 邱 3 秦 3 江 3 史 3 顾 3 侯 2 邵 2 孟 2 龙 2 万 2 "
    "段 2 雷 2 钱 2 汤 2 尹 2 黎 2 易 2 常 2 武 2 乔 2 贺 2 赖 2 龚 2 文 2 欧阳 1 上官 1 司马 1 诸葛 1"
).split()
SURNAMES = pa.array(_SURNAMES[0::2])
_WEIGHTS = np.array([int(weight) for weight in _SURNAMES[1::2]], dtype=np.float64)
_CUMULATED = np.cumsum(_WEIGHTS / _WEIGHTS.sum())

# (latest birth year, characters for women, characters for men, share of one-character given names)
ERAS = (
    (1969, "秀英兰芳珍玉凤桂香梅红春华淑琴云莲素霞爱", "国建文明志德华军平生福林荣海成忠义清永贵", 0.25),
    (1979, "丽红艳敏霞静燕萍玲娟梅芳华琴英云萍莉群芬", "军勇强伟斌辉波涛刚健毅杰峰俊超平宏海峰民", 0.45),
    (1989, "静娜婷丹洁颖雪莹倩琳晶佳璐蕾敏慧娟艳萌薇", "伟磊涛鹏超杰浩亮凯宇飞龙旭俊强博晨昊鑫帅", 0.50),
    (1999, "雨欣梦婷佳怡诗雪琪思颖嘉慧文静瑶雅晨悦璇", "宇浩俊杰天文博子豪晨泽嘉明志鑫航旭阳凯睿", 0.30),
    (2009, "子涵欣怡雨萱梓诗佳雅思琪语馨可心紫妍梦瑶", "子轩浩宇博文俊豪梓睿天泽雨晨嘉铭宇航思远", 0.12),
    (2099, "若汐一诺梓萱语桐沐宸可欣艺芯苡安知夏清妍", "沐宸奕辰宇泽浩然梓睿一鸣子墨铭泽景行嘉佑", 0.10),
)
_PLACE_FIRST = "青云松澜霁岚沅栖鹭枫芷汀澄苍漱砚蘅渌晴棠"
_PLACE_SECOND = "岫川泽屿陂溆圃洲垣浦汀麓沚堰滩畈墅埔岑湾"
_SCHOOL_WORDS = ("启明", "育英", "求真", "致远", "晨光", "新民", "向阳", "明德", "博文", "弘毅", "知行", "立人", "春晖", "正心", "崇文", "善学")


def places(count: int, rng: np.random.Generator) -> list[str]:
    """Invented two-character place names, none twice."""
    pairs = [first + second for first in _PLACE_FIRST for second in _PLACE_SECOND if first != second]
    order = rng.permutation(len(pairs))
    return [pairs[place] for place in order[:count]]


def school_word(number: int) -> str:
    return _SCHOOL_WORDS[number % len(_SCHOOL_WORDS)]


def person_names(birth_years: npt.NDArray[np.int64], is_male: npt.NDArray[np.bool_], rng: np.random.Generator) -> tuple[pa.Array, pa.Array]:
    """Family and given names of many people at once."""
    count = len(birth_years)
    family = SURNAMES.take(pa.array(np.searchsorted(_CUMULATED, rng.random(count)).clip(max=len(SURNAMES) - 1)))
    letters = pa.array([letter for _, women, men, _ in ERAS for letter in women + men])
    starts = np.cumsum([0, *(len(women) + len(men) for _, women, men, _ in ERAS[:-1])])
    era = np.searchsorted([latest for latest, *_ in ERAS], birth_years)
    women = np.array([len(women) for _, women, _, _ in ERAS])[era]
    men = np.array([len(men) for _, _, men, _ in ERAS])[era]
    base = starts[era] + np.where(is_male, women, 0)
    span = np.where(is_male, men, women)
    single = rng.random(count) < np.array([share for *_, share in ERAS])[era]
    first = letters.take(pa.array(base + (rng.random(count) * span).astype(np.int64)))
    second = letters.take(pa.array(base + (rng.random(count) * span).astype(np.int64)))
    second = pc.if_else(pa.array(single), "", second)
    return family, pc.binary_join_element_wise(first, second, "")
