"""What a person fills in to declare a run."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.assessment.data import AssessmentData
from shuren.evaluation.data import RunState


class DeclareForm(forms.Form):
    """The choices worth making by hand; everything else keeps the default of the assessment."""

    title = forms.CharField(label=gettext_lazy("名称"), max_length=200)
    programme = forms.CharField(
        label=gettext_lazy("监测项目"),
        max_length=100,
        help_text=gettext_lazy("同一项目、同一量尺的多次测评可以比较历年变化。"),
    )
    cuts = forms.CharField(
        label=gettext_lazy("水平分数线"),
        help_text=gettext_lazy("从低到高，用逗号分开，例如 400,475,550,625。"),
    )
    anchor = forms.ChoiceField(
        label=gettext_lazy("接着哪次测评的量尺"),
        required=False,
        help_text=gettext_lazy("两次测验有相同的题，才能放在同一把尺子上比较变化。选了以后，分数线沿用那一次的。"),
    )
    contrasts = forms.MultipleChoiceField(
        label=gettext_lazy("群体比较"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("市、区县报告按这些问卷变量比较学生群体。"),
    )
    minimum_group = forms.IntegerField(
        label=gettext_lazy("最小公布人数"), min_value=10, max_value=1000, help_text=gettext_lazy("少于这个人数的群体不公布。")
    )
    seed = forms.IntegerField(
        label=gettext_lazy("随机种子"), min_value=0, help_text=gettext_lazy("同样的声明和种子，任何一天都得到同样的结果。")
    )

    def __init__(self, assessment: AssessmentData, anchors: Sequence[RunState], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        runs = [(run.public_id, f"{run.title} · {run.held_date}" if run.held_date else run.title) for run in anchors]
        self.fields["anchor"].choices = [("", _("不接，自成一把尺子")), *runs]  # type: ignore[attr-defined]  # a ChoiceField
        if not runs:
            del self.fields["anchor"]
        choices = [(column.name, column.label or column.name) for column in assessment.context]
        self.fields["contrasts"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField
        if not choices:
            del self.fields["contrasts"]

    def clean_cuts(self) -> list[float]:
        text = str(self.cleaned_data["cuts"]).replace("，", ",").replace("、", ",")
        try:
            scores = [float(part) for part in text.split(",") if part.strip()]
        except ValueError as error:
            raise forms.ValidationError(_("请只填数字，用逗号分开。")) from error
        if scores != sorted(set(scores)):
            raise forms.ValidationError(_("分数线要从低到高，不能重复。"))
        return scores

    def options(self) -> dict[str, Any]:
        """The options for `declare_run`; the scale's cut scores are taken by the caller."""
        names = ("title", "programme", "contrasts", "minimum_group", "seed")
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
