"""What is asked of whoever takes in a course, gives it to a class, or lets somebody off a unit."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from shuren.records.rules.cmi5.words import WaiveReason

REASONS = {
    WaiveReason.TESTED_OUT: _("已经通过测试"),
    WaiveReason.EQUIVALENT_UNIT: _("学过本课程里相当的单元"),
    WaiveReason.EQUIVALENT_OUTSIDE: _("在别处学过相当的内容"),
    WaiveReason.ADMINISTRATIVE: _("按规定免修"),
}
_MOST_MB = 1024


class CourseImportForm(forms.Form):
    """A file, and for whose classes."""

    file = forms.FileField(
        label=_("课程文件"),
        help_text=_("cmi5 课程包（.zip，不超过 1 GB），或单独的 cmi5.xml。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,.xml"}),
    )
    org = forms.ChoiceField(label=_("给谁用"), help_text=_("这个单位的班级都能用。"))
    is_open = forms.BooleanField(label=_("学生可以自己选学"), required=False)

    def __init__(self, *told: object, orgs: Sequence[tuple[str, str]], **more: object) -> None:
        super().__init__(*told, **more)  # type: ignore[arg-type]
        self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if file.size > _MOST_MB * 1024 * 1024:
            raise forms.ValidationError(_("文件超过 1 GB。请压缩视频，或把视频放到别处，用完整网址引用。"))
        return file


class GiveCourseForm(forms.Form):
    """One of the classes that one teaches."""

    class_org = forms.ChoiceField(label=_("班级"))

    def __init__(self, *told: object, classes: Sequence[tuple[str, str]], **more: object) -> None:
        super().__init__(*told, **more)  # type: ignore[arg-type]
        self.fields["class_org"].choices = list(classes)  # type: ignore[attr-defined]


class WaiveForm(forms.Form):
    reason = forms.ChoiceField(label=_("原因"), choices=[(reason.value, word) for reason, word in REASONS.items()])
