"""What people send to the portal's own pages."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

SUFFIXES = (".xlsx", ".csv", ".zip", ".txt", ".xls", ".ods")


class UploadForm(forms.Form):
    """One file to import; what is inside is judged by the check, not here."""

    file = forms.FileField(
        label=_("文件"),
        max_length=255,
        error_messages={"required": _("请选择文件。"), "empty": _("这个文件是空的。请检查后重新选择。")},
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if not (file.name or "").lower().endswith(SUFFIXES):
            raise forms.ValidationError(_("请上传 Excel(.xlsx)、CSV 或 .zip 文件。"))
        return file


class LanguageForm(forms.Form):
    """The language to read in."""

    language = forms.ChoiceField(choices=[("zh-hans", "zh-hans"), ("en", "en")])
