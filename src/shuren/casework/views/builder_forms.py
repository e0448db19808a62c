"""What is asked before a form or flow is built."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from shuren.casework.data import DefinitionKind

Choices = Sequence[tuple[str, str]]
LARGEST_FILE = 10 * 1024 * 1024


class CopyForm(forms.Form):
    """A name, and whose it will be."""

    title = forms.CharField(label=_("名称"), max_length=120)
    org = forms.ChoiceField(label=_("归哪个机构"), help_text=_("本机构和上级的管理员可以修改它。"))

    def __init__(self, *args: object, orgs: Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        _offer(self, "org", orgs)


class ImportForm(CopyForm):
    """A workbook of others, and whether what does not matter much may stay behind."""

    file = forms.FileField(
        label=_("XLSForm 文件"),
        help_text=_("从 KoboToolbox、ODK 等导出的 .xlsx 文件，不超过 10 MB。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.ods"}),
    )
    leaves_out = forms.BooleanField(label=_("带不进来的次要内容就不要了，其余照样带入"), required=False)
    field_order = ("file", "title", "org", "leaves_out")

    def __init__(self, *args: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = False
        self.fields["title"].help_text = _("不填就用文件里的名称。")

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("文件超过 10 MB。"))
        return file


class NewDefinitionForm(CopyForm):
    """A form, or a flow over a form that is in force."""

    kind = forms.ChoiceField(
        label=_("类型"),
        choices=((DefinitionKind.FORM.value, _("表单：问什么、怎么填")), (DefinitionKind.FLOW.value, _("流程：填好以后由谁办"))),
        widget=forms.RadioSelect,
        initial=DefinitionKind.FORM.value,
    )
    form = forms.ChoiceField(label=_("流程用哪张表单"), required=False, help_text=_("只有流程要选；表单要先启用。"))
    field_order = ("kind", "title", "org", "form")

    def __init__(self, *args: object, orgs: Choices, forms: Choices, **kwargs: object) -> None:
        super().__init__(*args, orgs=orgs, **kwargs)
        _offer(self, "form", [("", "—"), *((key, f"{title}（{key}）") for key, title in forms)])

    def clean(self) -> dict[str, object]:
        told = super().clean() or {}
        if told.get("kind") == DefinitionKind.FLOW.value and not told.get("form"):
            self.add_error("form", _("请选择表单。"))
        return told


def _offer(form: forms.Form, name: str, choices: Choices) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)
