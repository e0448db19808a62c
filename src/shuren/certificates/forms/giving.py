"""What people fill in."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from shuren.certificates.data import CertificateKind, Layout, NewTemplate
from shuren.directory.data import OrgType

KINDS = {CertificateKind.HONOUR: _("荣誉证书"), CertificateKind.DIPLOMA: _("毕业与结业"), CertificateKind.GROWTH: _("成长记录")}
LAYOUTS = {Layout.FORMAL: _("庄重（双线边框）"), Layout.BRIGHT: _("明快（彩色边条）"), Layout.PLAIN: _("简洁")}
LEVELS = {
    OrgType.CITY: _("市"),
    OrgType.COUNTY: _("区县"),
    OrgType.GROUP: _("教育集团"),
    OrgType.SCHOOL: _("学校"),
}


class TemplateForm(forms.Form):
    kind = forms.ChoiceField(label=_("类别"), choices=[(kind.value, word) for kind, word in KINDS.items()])
    name = forms.CharField(label=_("证书名称"), max_length=60)
    name_en = forms.CharField(label=_("英文名称"), max_length=120, required=False)
    criteria = forms.CharField(
        label=_("颁发条件"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("什么样的人可以得到它。")
    )
    wording = forms.CharField(
        label=_("正文"),
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("发证时，{name} 换成姓名，{school} 换成学校，{class} 换成班级，{date} 换成日期，自填项换成填写的内容。"),
    )
    fields_text = forms.CharField(
        label=_("自填项"), max_length=200, required=False, help_text=_("发证时另外填写的内容，用逗号隔开，例如“等级”。")
    )
    layout = forms.ChoiceField(label=_("版式"), choices=[(layout.value, word) for layout, word in LAYOUTS.items()])
    seal_text = forms.CharField(
        label=_("落款"), max_length=30, required=False, help_text=_("印在证书右下角；不填就印颁发机构的名称。")
    )
    valid_months = forms.IntegerField(
        label=_("有效期（月）"), min_value=1, max_value=600, required=False, help_text=_("不填就是长期有效。")
    )
    levels = forms.MultipleChoiceField(
        label=_("哪些下级也可以发"),
        choices=[(level.value, word) for level, word in LEVELS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    image = forms.FileField(label=_("校徽或图案"), required=False, help_text=_("PNG 或 JPG 图片，不超过 2 MB。"))

    @property
    def template(self) -> NewTemplate:
        values = self.cleaned_data
        names = values["fields_text"].replace("，", ",").replace("、", ",").split(",")
        image = values["image"]
        return NewTemplate(
            kind=CertificateKind(values["kind"]),
            name=values["name"],
            name_en=values["name_en"],
            criteria=values["criteria"],
            wording=values["wording"],
            layout=Layout(values["layout"]),
            seal_text=values["seal_text"],
            valid_months=values["valid_months"],
            levels=tuple(values["levels"]),
            fields=tuple(name.strip() for name in names if name.strip()),
            image=image.read() if image else b"",
        )


class _ValuesForm(forms.Form):
    """Takes one value per field of a template."""

    def __init__(self, *args: object, names: Sequence[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as Form takes them
        self.names = list(names)
        for place, name in enumerate(names):
            self.fields[f"value_{place}"] = forms.CharField(label=name, max_length=100)

    @property
    def values(self) -> dict[str, str]:
        return {name: self.cleaned_data[f"value_{place}"] for place, name in enumerate(self.names)}


class GiveForm(_ValuesForm):
    number = forms.CharField(label=_("人员编号"), max_length=20, help_text=_("得到证书的人的编号，在“人员”里可以查到。"))


class ClassForm(_ValuesForm):
    people = forms.MultipleChoiceField(label=_("发给谁"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: object, people: Sequence[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as _ValuesForm takes them
        self.fields["people"].choices = people  # type: ignore[attr-defined]  # a choice field


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=200, help_text=_("得证人和查验的人都会看到。"))


class CorrectForm(_ValuesForm):
    reason = forms.CharField(label=_("哪里写错了"), max_length=200, help_text=_("旧证书会撤销，查验时显示这个原因。"))


class RenewForm(_ValuesForm):
    pass


class ShareForm(forms.Form):
    days = forms.ChoiceField(label=_("链接保留"), choices=[("7", _("7 天")), ("30", _("30 天")), ("90", _("90 天"))])


class VerifyForm(forms.Form):
    number = forms.CharField(label=_("证书编号"), max_length=40, required=False)
    file = forms.FileField(
        label=_("或者选择证书文件"),
        required=False,
        widget=forms.FileInput(attrs={"class": "form-control", "accept": ".pdf,.json,.jwt"}),
    )
