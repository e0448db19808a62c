"""Invented names of the demonstration: a city that exists nowhere, its districts and schools, and people marked synthetic."""

import random

CITY = "星澜市"
DISTRICTS = ("临溪区", "望川区", "松岚区", "云岫区", "青禾区", "锦屿区", "白露县", "长汐县")
SCHOOL_WORDS = (
    *("明德", "博雅", "启明", "春晖", "新苗", "育林", "致远", "弘文", "晨光", "翠微", "知行", "清源", "梧桐", "朝阳路", "书香"),
    *("凌云", "青藤", "和悦", "思齐", "星湖", "锦绣", "桃李", "向阳", "立人", "崇文", "江畔", "银杏", "百川", "紫荆", "听涛"),
)
FAMILIES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马方任袁柳唐罗薛"
    "雷贺汤郝安常于傅齐康余顾孟黄萧"
)
BOY_LETTERS = "浩宇轩睿泽航博文昊天俊杰子涵明哲嘉豪思远景行亦辰晓峰"
GIRL_LETTERS = "欣怡雨桐诗涵梓萱佳宁若曦语嫣心悦静雯可馨思琪婉清乐瑶"
ADULT_LETTERS = "建国华明丽娟芳秀英伟强军敏静红梅玉兰志刚海燕春霞永平"


def person_name(draw: random.Random, letters: str, family: str = "") -> tuple[str, str]:
    """(family name, given name) drawn from common letters; any likeness to somebody is chance."""
    given = "".join(draw.sample(letters, 2)) if draw.random() < 0.8 else draw.choice(letters)
    return family or draw.choice(FAMILIES), given


def school_names(district: str, count: int) -> list[str]:
    """As many different names as the district has schools, in a fixed order."""
    short = district[:-1]
    return [
        f"{short}{SCHOOL_WORDS[place % len(SCHOOL_WORDS)]}{'' if place < len(SCHOOL_WORDS) else '第二'}小学"
        for place in range(count)
    ]
