"""What is asked of whoever sets a rule, holds a dataset, calls data back, or decides about destruction."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.datahub.rules.life_cycle import BASES, LONGEST_RECALL
from shuren.datahub.views.life_cycle.words import ENDS, STARTS

_LONGEST = 36_600
_MOST_BYTES = 16 * 1024 * 1024


class LifeCycleForm(forms.Form):
    """How long, counted from what, what then, and by which law."""

    basis = forms.ChoiceField(label=gettext_lazy("依据"), help_text=gettext_lazy("总的保存时间不能短于依据所定的最短时间。"))
    ground = forms.CharField(
        label=gettext_lazy("说明"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("选“本地规定”时写出名称和条款。"),
    )
    counted_from = forms.ChoiceField(label=gettext_lazy("从哪天算起"), widget=forms.RadioSelect)
    in_use_days = forms.IntegerField(
        label=gettext_lazy("使用多少天"),
        min_value=0,
        max_value=_LONGEST,
        required=False,
        help_text=gettext_lazy("一直使用的不填。"),
    )
    then = forms.ChoiceField(label=gettext_lazy("到期以后"), widget=forms.RadioSelect)
    archived_days = forms.IntegerField(
        label=gettext_lazy("归档多少天后销毁"),
        min_value=0,
        max_value=_LONGEST,
        required=False,
        help_text=gettext_lazy("只有归档的才填；不填则一直保存在归档里。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "basis": [(key, str(basis.title)) for key, basis in BASES.items()],
            "counted_from": [(one.value, str(STARTS[one])) for one in LifeCycleStart],
            "then": [(one.value, str(ENDS[one])) for one in LifeCycleEnd],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]

    def told(self) -> LifeCycle:
        data = self.cleaned_data
        return LifeCycle(
            basis=data["basis"],
            ground=data["ground"],
            counted_from=LifeCycleStart(data["counted_from"]),
            in_use_days=data["in_use_days"],
            then=LifeCycleEnd(data["then"]),
            archived_days=data["archived_days"],
            is_declared=True,
        )


class HoldForm(forms.Form):
    """Why nothing of a dataset may change."""

    reason = forms.CharField(
        label=gettext_lazy("冻结的理由"),
        max_length=200,
        help_text=gettext_lazy("例如诉讼、审计、申诉，写明文号或案号。"),
    )


class RecallForm(forms.Form):
    """What archived data are needed for, and until when."""

    reason = forms.CharField(label=gettext_lazy("用途"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    until = forms.DateField(label=gettext_lazy("用到哪天（含）"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].help_text = _("最多 %(days)s 天，到期自动放回归档。") % {"days": LONGEST_RECALL}


class ProposalForm(forms.Form):
    """The ground on which somebody asks for destruction."""

    ground = forms.CharField(
        label=gettext_lazy("销毁的依据"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("写明保存期限的规定和鉴定意见，会写进销毁证明。"),
    )


class ApprovalForm(forms.Form):
    """What is irreversible is typed."""

    name = forms.CharField(label=gettext_lazy("输入数据集的技术名称以确认"), max_length=80)

    def __init__(self, *args: Any, dataset: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dataset = dataset
        self.fields["name"].help_text = dataset

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if name != self.dataset:
            raise forms.ValidationError(_("与数据集的名称不同。"))
        return name


class RefusalForm(forms.Form):
    """Why nothing is destroyed."""

    reason = forms.CharField(label=gettext_lazy("退回的理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class CertificateForm(forms.Form):
    """A certificate that somebody brings."""

    certificate = forms.FileField(
        label=gettext_lazy("销毁证明文件"), help_text=gettext_lazy("从销毁页面下载的 JSON 文件，最大 16 MB。")
    )

    def clean_certificate(self) -> bytes:
        file = self.cleaned_data["certificate"]
        if file.size > _MOST_BYTES:
            raise forms.ValidationError(_("文件超过 16 MB。"))
        return bytes(file.read())
