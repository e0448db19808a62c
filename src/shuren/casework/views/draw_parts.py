"""Parts that several pages of draws show."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.casework.models import Draw
from shuren.casework.rules.draws import LOTTERY
from shuren.casework.rules.specs.words import Span
from shuren.casework.rules.workdays import add_span
from shuren.casework.selectors.holidays import holidays
from shuren.kernel import clock, ids
from shuren.pages.data import Fact

_PROPOSED = {"due_at": 1, "reveal_due_at": 2}


def trail(*steps: tuple[str, str]) -> list[dict[str, str]]:
    """The way here from the list of draws; the last step has no address."""
    return [{"label": label, "url": url} for label, url in ((_("双随机抽查"), reverse("casework:draws")), *steps)]


def public_url(draw: Draw) -> str:
    return reverse("casework:public_draw", args=[ids.encode("draw", draw.pk)])


def proposed_times(now: datetime) -> dict[str, datetime]:
    """By when the third party gives their part and the draw is made, unless said otherwise: the next two working days."""
    days = {name: add_span(now, Span(working_days=count), holidays=holidays()) for name, count in _PROPOSED.items()}
    return {name: clock.local(day).replace(hour=17, minute=0, second=0, microsecond=0) for name, day in days.items()}


def _minute(at: datetime | None) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}" if at is not None else ""


def facts_of(draw: Draw) -> list[Fact]:
    """What was said beforehand, in the order of the steps."""
    is_lottery = draw.rules["kind"] == LOTTERY
    facts = [
        Fact(label=_("申请") if is_lottery else _("检查对象"), value=len(draw.objects_pool)),
        Fact(label=_("名额") if is_lottery else _("抽取"), value=draw.rules["count"]),
    ]
    if not is_lottery:
        facts.append(Fact(label=_("检查人员"), value=len(draw.inspectors_pool)))
        facts.append(Fact(label=_("每个对象"), value=_("%(count)d 人") % {"count": draw.rules["inspectors_each"]}))
    if draw.statement:
        party = draw.statement["contributor"]
        facts += [
            Fact(label=_("组织抽取的人"), value=draw.statement["operator"]["name"]),
            Fact(label=_("第三方"), value=party["name"], help=party["what"]),
            Fact(label=_("承诺公布"), value=draw.committed_at),
            Fact(label=_("第三方截止"), value=draw.contribution_due_at),
            Fact(label=_("第三方提交"), value=draw.contributed_at),
            Fact(label=_("抽取"), value=draw.drawn_at, help=_("最晚 %(at)s") % {"at": _minute(draw.reveal_due_at)}),
        ]
    return facts
