"""What is asked of the officers who tend the exchange."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import Carriage, SharedColumn
from shuren.datahub.rules.exchange.letters import LONGEST
from shuren.datahub.rules.exchange.terms import EVERY
from shuren.datahub.rules.sharing import default_mask, is_too_plain
from shuren.datahub.selectors.shared_datasets import masked_words
from shuren.datahub.views.words import CARRIAGES, FREQUENCIES, MASKS
from shuren.standards.data import MaskStyle

Choices = Sequence[tuple[str, str]]
_WITHHELD = "withheld"
_ENDS = forms.DateInput(attrs={"type": "date"})


class InvitationForm(forms.Form):
    """The invitation of another installation."""

    invitation = forms.CharField(
        label=gettext_lazy("对方给的邀请"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("以 shuren-node-1. 开头的一整段，对方管理员在“邀请节点”里得到。"),
    )


class LetterForm(forms.Form):
    """A letter that somebody carried here."""

    letter = forms.FileField(
        label=gettext_lazy("交换信文件"),
        help_text=gettext_lazy("对方导出的 .letter 文件。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".letter"}),
    )

    def clean_letter(self) -> str:
        file = self.cleaned_data["letter"]
        if file.size > LONGEST:
            raise forms.ValidationError(_("信太长了。"))
        return bytes(file.read()).decode("ascii", "replace")


class TrustForm(forms.Form):
    """The end of the fingerprint as the other officer reads it out, whom the node stands for, and who carries."""

    spoken = forms.CharField(
        label=gettext_lazy("对方念出的指纹最后八位"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("请打电话给对方的管理员，请他念出他那边“本节点”的指纹，不要照抄本页。"),
    )
    org = forms.ChoiceField(
        label=gettext_lazy("对方代表哪个机构"),
        required=False,
        help_text=gettext_lazy("共享授权按这个机构核对，收到的数据归在它名下。"),
    )
    carriage = forms.ChoiceField(label=gettext_lazy("怎样传递"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, orgs: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = [("", _("不在本平台的机构目录里")), *orgs]  # type: ignore[attr-defined]
        self.fields["carriage"].choices = [(one.value, str(CARRIAGES[one])) for one in Carriage]  # type: ignore[attr-defined]


class OfferForm(forms.Form):
    """What is offered by which basis, how often and until when."""

    basis = forms.ChoiceField(
        label=gettext_lazy("发送什么"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy("没有依据的数据不能发送：要么对方所代表的机构申请到共享授权，要么有上报义务。"),
    )
    every = forms.ChoiceField(label=gettext_lazy("多久发送一次"), help_text=gettext_lazy("只发送有变化的部分。"))
    ends_on = forms.DateField(label=gettext_lazy("用到哪天（含）"), widget=_ENDS)

    def __init__(self, *args: Any, bases: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["basis"].choices = list(bases)  # type: ignore[attr-defined]
        self.fields["every"].choices = [(str(one), str(FREQUENCIES[one])) for one in EVERY]  # type: ignore[attr-defined]


class DutyForm(forms.Form):
    """The law behind reporting a dataset to the level above, and each column as it is, masked or not at all."""

    ground = forms.CharField(
        label=gettext_lazy("依据"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("规定上报的法律、法规或统计调查制度的名称和条款。"),
    )
    ends_on = forms.DateField(
        label=gettext_lazy("用到哪天（含）"), widget=_ENDS, help_text=gettext_lazy("最长两年，到期重新填写。")
    )

    def __init__(self, *args: Any, held: Mapping[str, SharedColumn], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {f"column_{number}": name for number, name in enumerate(held)}
        for place, name in self.places.items():
            styles = [style for style in MaskStyle if not is_too_plain(held[name], style)]
            self.fields[place] = forms.ChoiceField(
                label=masked_words(held[name]),
                choices=[(_WITHHELD, _("不提供")), *((style.value, str(MASKS[style])) for style in styles)],
                initial=default_mask(held[name]).value,
            )
        self.order_fields(["ground", *self.places, "ends_on"])

    def masks(self) -> dict[str, str]:
        data = self.cleaned_data
        return {name: data[place] for place, name in self.places.items() if data[place] != _WITHHELD}
