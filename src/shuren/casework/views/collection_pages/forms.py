"""What issuers type in."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.rules.collections import Choice, NewCollection
from shuren.casework.selectors.collections.sources import collection_spec
from shuren.casework.services.collections.freeze import ACCEPTED, SUBMITTED
from shuren.casework.views.collection_words import CHANNEL_WORDS, ROLE_WORDS, TYPE_WORDS
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Role
from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.messaging.data import Channel

FORM, COLLECTION = "form", "collection"


def moment_field(label: Any, **more: Any) -> forms.DateTimeField:
    """A day and time to be picked from a calendar."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
    return forms.DateTimeField(label=label, widget=widget, input_formats=formats, **more)


class CodesField(forms.CharField):
    """Codes of orgs, one a line or with commas between; cleaned to row ids inside the branch."""

    widget = forms.Textarea(attrs={"rows": 3})

    def clean(self, value: Any) -> frozenset[int]:
        text = super().clean(value)
        codes = {code for code in text.replace("，", ",").replace(",", "\n").split() if code}
        found = directory.org_ids_by_code(codes)
        if missing := sorted(codes - set(found)):
            some = "、".join(missing[:5])
            raise forms.ValidationError(_("没有找到这些单位代码：%(codes)s。") % {"codes": some})
        return frozenset(found.values())


class NewCollectionForm(forms.Form):
    """A collection to be issued; the choices of `source`, `branch` and `flow` are what the issuer may use."""

    source = forms.ChoiceField(label=gettext_lazy("报什么"))
    title = forms.CharField(label=gettext_lazy("采集名称"), max_length=200)
    period = forms.CharField(
        label=gettext_lazy("报告期"), max_length=40, required=False, help_text=gettext_lazy("例如：2026 年秋季学期")
    )
    branch = forms.ChoiceField(label=gettext_lazy("发给哪个范围"))
    types = forms.MultipleChoiceField(
        label=gettext_lazy("哪些单位填报"),
        choices=[(kind.value, words) for kind, words in TYPE_WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    rural = forms.ChoiceField(
        label=gettext_lazy("城乡"),
        required=False,
        choices=[("", gettext_lazy("不限")), ("rural", gettext_lazy("只发农村")), ("urban", gettext_lazy("只发城镇"))],
    )
    only = CodesField(
        label=gettext_lazy("只发给这些单位"),
        required=False,
        help_text=gettext_lazy("每行一个单位代码；不填就发给范围内所有单位。"),
    )
    exempt = CodesField(label=gettext_lazy("这些单位免报"), required=False, help_text=gettext_lazy("每行一个单位代码。"))
    filled_by = forms.MultipleChoiceField(
        label=gettext_lazy("由谁填报"),
        choices=[(role.value, words) for role, words in ROLE_WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    due_at = moment_field(gettext_lazy("截止时间"))
    flow = forms.ChoiceField(label=gettext_lazy("审核流程"), required=False, help_text=gettext_lazy("不选就不审核，提交即通过。"))
    note = forms.CharField(
        label=gettext_lazy("填报说明"), required=False, widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )

    def __init__(
        self, *args: Any, sources: list[tuple[str, str]], branches: list[OrgData], flows: list[tuple[str, str]], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.sources = [source for source, _words in sources]
        self.branches = {org.public_id: org for org in branches}
        self._set("source", sources)
        self._set("branch", [(org.public_id, org.name) for org in branches])
        self._set("flow", [("", _("不审核")), *flows])

    def _set(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def branch_org(self) -> OrgData | None:
        """The branch chosen so far, while the rest may still be missing."""
        return self.branches.get(str(self.cleaned_data.get("branch", "")))

    def choice(self) -> Choice:
        said = self.cleaned_data
        rural = {"rural": True, "urban": False}.get(said.get("rural", ""))
        return Choice(said.get("only") or frozenset(), rural, said.get("exempt") or frozenset())

    def org_types(self) -> tuple[OrgType, ...]:
        return tuple(OrgType(kind) for kind in self.cleaned_data.get("types", ()))

    def chosen_source(self) -> str:
        """What stands in the list: what was chosen, else its first."""
        chosen = str(self["source"].value() or "")
        return chosen if chosen in self.sources else "".join(self.sources[:1])

    def offers_checked(self) -> bool:
        """Whether the box beside the count of orgs is checked: as it was left, and at first for each source."""
        return "repeats" in self.data or self.data.get("repeats_of") != self.chosen_source()

    def new(self) -> NewCollection:
        said = self.cleaned_data
        kind, _colon, key = said["source"].partition(":")
        return NewCollection(
            title=said["title"],
            form=collection_spec(key).form if kind == COLLECTION else key,
            collection=key if kind == COLLECTION else "",
            org_id=ids.decode("org", said["branch"]),
            due_at=said["due_at"],
            types=self.org_types(),
            filled_by=tuple(Role(role) for role in said["filled_by"]),
            flow=said["flow"],
            note=said["note"],
            period=said["period"],
            choice=self.choice(),
            is_repeated="repeats" in self.data,
        )


class UrgeForm(forms.Form):
    """Whom to urge and how; the notice inside always goes."""

    only_late = forms.BooleanField(label=gettext_lazy("只催已经逾期的"), required=False)
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("除站内通知外，还发"),
        required=False,
        choices=[(channel.value, words) for channel, words in CHANNEL_WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
    )

    def chosen(self) -> list[Channel]:
        return [Channel(value) for value in self.cleaned_data["channels"]]


class ExtendForm(forms.Form):
    due_at = moment_field(gettext_lazy("新的截止时间"))
    reason = forms.CharField(label=gettext_lazy("理由"), required=False, max_length=200)


class DueForm(forms.Form):
    due_at = moment_field(gettext_lazy("新的截止时间"))


class WhyForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=200)


class FreezeForm(forms.Form):
    frozen_with = forms.ChoiceField(
        label=gettext_lazy("冻结哪些数据"),
        choices=[(ACCEPTED, gettext_lazy("只要已通过的")), (SUBMITTED, gettext_lazy("已通过的和待审核的"))],
        widget=forms.RadioSelect,
        initial=ACCEPTED,
    )


class WorkbookForm(forms.Form):
    workbook = forms.FileField(label=gettext_lazy("填好的工作簿"), help_text=gettext_lazy("从这里下载、填好的 .xlsx 文件。"))
    is_handed_in = forms.BooleanField(label=gettext_lazy("没有错误的直接提交"), required=False)


def due_by_default(due: datetime) -> str:
    """A moment as the calendar field takes it."""
    return due.strftime("%Y-%m-%dT%H:%M")


def org_id_in(text: str) -> int | None:
    """A row id from an address, None for nothing or nonsense."""
    try:
        return ids.decode("org", text) if text else None
    except NotFound:
        return None
