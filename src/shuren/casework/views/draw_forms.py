"""What is filled in about a draw."""

from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from shuren.casework.services.draws.commit import PERSON, PUBLIC_VALUE, Contributor
from shuren.directory import api as directory

_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
Choices = Sequence[tuple[str, str]]


class NewDrawForm(forms.Form):
    """A kind of draw and the office whose branch it covers."""

    definition = forms.ChoiceField(label=_("抽查事项"))
    org = forms.ChoiceField(label=_("范围"), help_text=_("检查对象和检查人员都从这里及其下级的登记中取。"))
    title = forms.CharField(label=_("名称"), max_length=200, required=False, help_text=_("例如“2026 年秋季”；不填就用事项名称。"))

    def __init__(self, *args: object, kinds: Choices, orgs: Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        _offer(self, "definition", kinds)
        _offer(self, "org", orgs)


class NewLotteryForm(forms.Form):
    """A lottery among the running cases of a flow."""

    flow = forms.ChoiceField(label=_("报名事项"))
    org = forms.ChoiceField(label=_("范围"))
    stage = forms.CharField(
        label=_("办理环节"), max_length=60, required=False, help_text=_("只取停在这个环节的申请；不填就取所有办理中的。")
    )
    places = forms.IntegerField(label=_("名额"), min_value=1, max_value=100_000)
    title = forms.CharField(label=_("名称"), max_length=200)

    def __init__(self, *args: object, flows: Choices, orgs: Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        _offer(self, "flow", flows)
        _offer(self, "org", orgs)


class CommitForm(forms.Form):
    """Who is the independent party, and until when."""

    kind = forms.ChoiceField(
        label=_("第三方提供什么"),
        choices=((PERSON, _("第三方自己定的内容")), (PUBLIC_VALUE, _("事先说好的公开数值，由第三方见证录入"))),
        widget=forms.RadioSelect,
        initial=PERSON,
    )
    what = forms.CharField(
        label=_("公开数值"),
        max_length=200,
        required=False,
        help_text=_("选公开数值时填写，写到没有歧义，例如“2026-12-05 上证指数收盘价，保留两位小数”。"),
    )
    number = forms.CharField(
        label=_("第三方的人员编号"),
        max_length=40,
        help_text=_("不能是您自己，也不能与您在同一机构担任同一职务。姓名会公开。"),
    )
    due_at = forms.DateTimeField(label=_("第三方截止时间"), widget=_MOMENT, help_text=_("逾期没有提交，这次抽取作废并公开显示。"))
    reveal_due_at = forms.DateTimeField(label=_("开奖截止时间"), widget=_MOMENT, help_text=_("逾期没有抽取，同样作废。"))

    def clean_number(self) -> int:
        number = self.cleaned_data["number"].strip()
        found = directory.person_ids_by_number([number]).get(number)
        if found is None:
            raise forms.ValidationError(_("没有这个编号的人，请核对。"))
        return found

    def contributor(self) -> Contributor:
        told = self.cleaned_data
        due: tuple[datetime, datetime] = (told["due_at"], told["reveal_due_at"])
        return Contributor(
            person_id=told["number"], kind=told["kind"], due_at=due[0], reveal_due_at=due[1], what=told["what"].strip()
        )


class ContributeForm(forms.Form):
    """The independent value itself."""

    value = forms.CharField(label=_("内容"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def _offer(form: forms.Form, name: str, choices: Choices) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)
