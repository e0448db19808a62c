"""Refusing writes that compete with the one source of an element, at whichever door they come."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.directory.data import CompetingData
from shuren.directory.selectors.one_source import acting_org_id, competing
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.standards import api as standards
from shuren.standards.data import Door


class CompetingWrite(Refused):
    """Another writes this element alone; `link` is the page to object at."""

    code = "competing_write"

    def __init__(self, told: CompetingData) -> None:
        super().__init__(reason_of(told), remedy=remedy_of(told))
        self.told = told
        self.link = told.link


def reason_of(told: CompetingData) -> str:
    """Why a value is not taken: `“手机号”由市学籍中心统一产生（来自名录页面），这里不能另写。`"""
    words = {"name": told.name, "owner": told.owner, "place": told.comes_from}
    return _("“%(name)s”由%(owner)s统一产生（来自%(place)s），这里不能另写。") % words


def remedy_of(told: CompetingData) -> str:
    return _("请去掉这一项；认为数据有误，到 %(link)s 向负责单位提出异议。") % {"link": told.link}


def refuse_competing_write(*, actor: Actor, elements: Iterable[str], door: Door, now: datetime) -> None:
    """Raise `CompetingWrite` for the first of these elements that somebody else alone writes, and note that it was tried."""
    refused = competing(actor=actor, elements=elements, door=door, now=now)
    for told in refused.values():
        note_competing(actor=actor, element=told.element, door=door, now=now)
    for told in refused.values():
        raise CompetingWrite(told)


def note_competing(*, actor: Actor, element: str, door: Door, now: datetime) -> None:
    """Remember a competing write for the owner of the element; `standards.keep_refusals` writes it down."""
    org_id = acting_org_id(actor=actor, now=now)
    standards.note_refusal(element_code=element, door=door, org_id=org_id, actor=actor)
