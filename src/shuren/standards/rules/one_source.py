"""One source for every fact: who may write an element, and who competes with whoever does."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from shuren.standards.data import Door, ElementData, ProducerData

_DOORS = {
    Door.FORM: _("表单与流程"),
    Door.REGISTER: _("台账页面"),
    Door.REGISTER_IMPORT: _("台账导入"),
    Door.API: _("接口"),
    Door.ROSTER: _("名册导入"),
    Door.DIRECTORY: _("名录页面"),
    Door.SCIM: _("账号同步（SCIM）"),
    Door.ONEROSTER: _("名册交换（OneRoster）"),
    Door.DATASET: _("数据集写入"),
}


def door_words(door: Door) -> str:
    """What people call a way in."""
    return str(_DOORS[door])


def is_producer(producer: ProducerData, *, door: Door, org_ids: Collection[int]) -> bool:
    """Whether a write through `door` from these orgs and what lies above them is the source's own."""
    through = not producer.doors or door in producer.doors
    return through and (not producer.org_ids or not producer.org_ids.isdisjoint(org_ids))


def comes_from_elsewhere(element: ElementData, place: str) -> bool:
    """Whether the files name another place than `place` (`register:infra.link.bandwidth`) as the element's source."""
    return bool(element.source) and element.source != place
