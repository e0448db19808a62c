"""Codes that break their standard are taken, and told to whoever entered them."""

from collections.abc import Callable

import pytest

from shuren.directory import api
from shuren.directory.data import NewOrg, OrgType
from shuren.directory.models import Org
from shuren.directory.services.warn_codes import org_faults, org_warnings
from shuren.directory.tests.conftest import NOW, Region, Visitor
from shuren.kernel.data import SYSTEM

SOUND = {"code": "2111000001", "division_code": "110101", "credit_code": "91350100M000100Y43"}
SPOILT = [
    ("code", "211100001", "学校（机构）标识码应为 10 位数字"),
    ("code", "7711000001", "学校（机构）标识码前两位不是学校类别代码"),
    ("code", "2100000001", "学校（机构）标识码第 3、4 位不是省级代码"),
    ("division_code", "1101011", "行政区划代码应为 2、4、6、9 或 12 位数字"),
    ("division_code", "119999", "行政区划代码不在 GB/T 2260 表中"),
    ("credit_code", "91350100M000100Y4", "统一社会信用代码应为 18 位"),
    ("credit_code", "91350100M000100Y44", "统一社会信用代码校验位不对"),
]


def test_sound_codes_are_not_warned_about() -> None:
    assert org_faults(**SOUND, kind=OrgType.SCHOOL) == {}
    assert org_warnings("", "", "", OrgType.SCHOOL) == ()
    assert org_warnings("EDU-7", "11010100", "", OrgType.AGENCY) == ("行政区划代码应为 2、4、6、9 或 12 位数字",)


def test_places_that_do_not_exist_are_not_looked_up() -> None:
    assert org_faults(code="2199000001", division_code="990203", credit_code="", kind=OrgType.SCHOOL) == {}
    assert set(org_faults(code="7799000001", division_code="99020", credit_code="", kind="school")) == {"code", "division_code"}


@pytest.mark.parametrize(("column", "value", "fault"), SPOILT)
def test_adding_and_correcting_an_org_takes_and_tells(region: Region, column: str, value: str, fault: str) -> None:
    new = NewOrg(parent_id=region.org_ids["east"], type=OrgType.SCHOOL, name="新校", **{**SOUND, column: value})
    written = api.add_org(actor=SYSTEM, org=new, now=NOW)
    assert written.warnings == (fault,)
    assert Org.objects.filter(pk=written.id, **{column: value}).exists()
    other = region.org_ids["other"]
    assert api.correct_org(actor=SYSTEM, org_id=other, changes={**SOUND, column: value}, now=NOW).warnings == (fault,)
    assert Org.objects.filter(pk=other, **{column: value}).exists()


@pytest.mark.parametrize(("column", "value", "fault"), SPOILT)
def test_the_forms_take_and_tell(region: Region, visit: Callable[[str], Visitor], column: str, value: str, fault: str) -> None:
    facts = {"type": "school", "name": "新校", "short_name": "", **SOUND, column: value}
    for key, page in (("east", "new/"), ("other", "correct/")):
        notes = visit("county_officer").post(region.url(key, page), dict(facts)).notes  # type: ignore[attr-defined]
        assert f"已保存，但请核对：{fault}。" in notes
    assert Org.objects.filter(name="新校", **{column: value}).count() == 2
