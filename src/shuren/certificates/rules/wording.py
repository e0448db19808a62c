"""The words of a certificate: what a template says, filled in for one person."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _

from shuren.certificates.data import NewTemplate
from shuren.kernel.errors import Invalid

KNOWN = ("name", "school", "class", "date")
_PLACE = re.compile(r"\{([^{}]*)\}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_LONGEST_VALUE = 100


def places_in(wording: str) -> list[str]:
    return list(dict.fromkeys(_PLACE.findall(wording)))


def check_template(template: NewTemplate) -> None:
    """Raise `Invalid` where the wording names something that nobody fills in, a field is named twice, or a letter is none."""
    if len(set(template.fields)) != len(template.fields) or set(template.fields) & set(KNOWN):
        raise Invalid(_("自填项的名称重复。"), remedy=_("每个自填项起一个不同的名称，也不要与姓名、学校等重名。"))
    unknown = [place for place in places_in(template.wording) if place not in (*KNOWN, *template.fields)]
    if unknown:
        raise Invalid(
            _("正文里的“{%(place)s}”没有来处。") % {"place": unknown[0]}, remedy=_("请在“自填项”里加上它，或改用已有的项。")
        )
    texts = (template.name, template.name_en, template.criteria, template.wording, template.seal_text, *template.fields)
    if any(_CONTROL.search(text.replace("\r\n", "\n")) for text in texts):
        raise Invalid(_("模板里有看不见的控制字符，例如制表符。"), remedy=_("请删去它，或改用空格。"))
    if "{name}" not in template.wording:
        raise Invalid(_("正文里没有姓名。"), remedy=_("请在正文里写上 {name}，发证时换成得证人的姓名。"))


def filled(wording: str, values: Mapping[str, str]) -> str:
    """The wording with its places filled in; braces inside a value stay as they are."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), wording)


def checked_values(values: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    """One value per field of the template; raises `Invalid` where one is missing or cannot be printed."""
    found = {}
    for name in fields:
        value = values.get(name, "").strip()
        if not value:
            raise Invalid(_("没有填写“%(field)s”。") % {"field": name}, remedy=_("请补上后再发。"))
        if len(value) > _LONGEST_VALUE or _CONTROL.search(value):
            raise Invalid(_("“%(field)s”太长或有不能打印的字符。") % {"field": name}, remedy=_("最多 100 个字。"))
        found[name] = value
    return found


def day_in_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def months_after(day: date, months: int) -> date:
    """The same day so many months later, the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
