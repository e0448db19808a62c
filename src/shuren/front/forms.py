"""What people send to the portal's own pages."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from shuren.intake.api import MAX_CELL_CHARS
from shuren.intake.data import RowContent

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


class RowForm(forms.Form):
    """The cells of a quarantined row under their headings, each with what was found in it."""

    def __init__(self, content: RowContent, data: "QueryDict | None" = None) -> None:
        super().__init__(data)
        found: dict[str, list[str]] = {}
        for one in content.findings:
            found.setdefault(one.column, []).append(f"{one.reason} {one.remedy}".strip())
        for place, heading in enumerate(content.header):
            if place < len(content.cells):
                self.fields[f"cell_{place}"] = forms.CharField(
                    label=heading or str(place + 1),
                    required=False,
                    initial=content.cells[place],
                    help_text=" ".join(found.get(heading, [])),
                    max_length=MAX_CELL_CHARS,
                )
        self.fields["send"] = forms.BooleanField(label=_("保存后马上再次送入检查"), required=False, initial=True)

    def told(self) -> dict[int, str]:
        """What the cells say now, by their place."""
        return {int(name.removeprefix("cell_")): text for name, text in self.cleaned_data.items() if name.startswith("cell_")}


class DiscardForm(forms.Form):
    """Rows that are given up, and why."""

    ids = forms.CharField(widget=forms.HiddenInput())
    reason = forms.CharField(label=_("放弃的理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class LanguageForm(forms.Form):
    """The language to read in."""

    language = forms.ChoiceField(choices=[("zh-hans", "zh-hans"), ("en", "en")])
