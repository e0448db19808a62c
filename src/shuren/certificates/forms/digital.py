"""Input of the pages about digital certificates."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from shuren.certificates.models.digital import AskedKind
from shuren.trust.data import KeyAlgorithm, RevocationReason

MAX_FILE_BYTES = 64 * 1024
KINDS = {
    AskedKind.PERSON: _("本人"),
    AskedKind.UNIT: _("单位"),
    AskedKind.DEVICE: _("设备"),
}
ALGORITHMS = {KeyAlgorithm.ES256: _("国际算法（ECDSA P-256）"), KeyAlgorithm.SM2: _("国产算法（SM2）")}
AUTHORITY_REASONS = {
    RevocationReason.CESSATION_OF_OPERATION: _("不再使用"),
    RevocationReason.CA_COMPROMISE: _("密钥丢失或泄露"),
    RevocationReason.SUPERSEDED: _("已换新证书"),
    RevocationReason.UNSPECIFIED: _("不说明"),
}
REASONS = {
    RevocationReason.UNSPECIFIED: _("不说明"),
    RevocationReason.KEY_COMPROMISE: _("密钥丢失或泄露"),
    RevocationReason.AFFILIATION_CHANGED: _("人员或单位变动"),
    RevocationReason.SUPERSEDED: _("已换新证书"),
    RevocationReason.CESSATION_OF_OPERATION: _("不再使用"),
    RevocationReason.PRIVILEGE_WITHDRAWN: _("取消资格"),
}


class AskForm(forms.Form):
    """Who the certificate is for, and whose key: one's own by a request file, or one that is made when it is fetched."""

    kind = forms.ChoiceField(label=_("给谁"), widget=forms.RadioSelect)
    org = forms.ChoiceField(label=_("单位"), required=False, help_text=_("给单位或设备时选择。"))
    device = forms.CharField(label=_("设备名称"), required=False, max_length=64, help_text=_("给设备时填写，例如“东门闸机”。"))
    dns_name = forms.CharField(
        label=_("设备域名"),
        required=False,
        max_length=200,
        validators=[RegexValidator(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", _("域名格式不对。"))],
        help_text=_("必须在本单位的域名下，批准前会核实。"),
    )
    algorithm = forms.ChoiceField(label=_("算法"), choices=[(kind.value, word) for kind, word in ALGORITHMS.items()])
    request = forms.CharField(
        label=_("申请文件"),
        required=False,
        max_length=16_000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "font-monospace"}),
        help_text=_("已有密钥时，粘贴 PKCS#10 申请文件。不填则由平台生成密钥，批准后凭口令领取一次。"),
    )

    def __init__(self, *args: Any, orgs: Sequence[tuple[str, str]], may_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [kind for kind in KINDS if (may_person if kind is AskedKind.PERSON else bool(orgs))]
        self.kinds.choices = [(kind.value, KINDS[kind]) for kind in offered]
        if offered:
            self.fields["kind"].initial = offered[0].value
        if orgs:
            self.fields["org"].choices = list(orgs)  # type: ignore[attr-defined]  # a ChoiceField
        else:
            for name in ("org", "device", "dns_name"):
                del self.fields[name]

    @property
    def kinds(self) -> forms.ChoiceField:
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        return field


class RenewForm(forms.Form):
    """The key of the next certificate."""

    algorithm = AskForm.base_fields["algorithm"]
    request = AskForm.base_fields["request"]


class AllowForm(forms.Form):
    authority = forms.ChoiceField(label=_("签发机构"))
    days = forms.IntegerField(label=_("有效天数"), min_value=1, max_value=3653, initial=1096)
    domain = forms.CharField(
        label=_("已核实属于申请单位的域名"),
        max_length=200,
        help_text=_("例如 school.example。设备域名必须就是它或在它下面。请查备案或打电话核实，不要只看申请。"),
    )

    def __init__(self, *args: Any, authorities: Sequence[tuple[str, str]], dns_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not dns_name:
            del self.fields["domain"]
        self.fields["authority"].choices = list(authorities)  # type: ignore[attr-defined]  # a ChoiceField


class RefuseForm(forms.Form):
    reason = forms.CharField(label=_("理由"), max_length=200, help_text=_("申请人会看到。"))


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(label=_("原因"), choices=[(kind.value, word) for kind, word in REASONS.items()])


class RevokeAuthorityForm(forms.Form):
    reason = forms.ChoiceField(label=_("原因"), choices=[(kind.value, word) for kind, word in AUTHORITY_REASONS.items()])


class FetchForm(forms.Form):
    passphrase = forms.CharField(
        label=_("口令"),
        min_length=8,
        max_length=100,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("至少 8 个字符。导入证书文件时要用，平台不保存。"),
    )


class FoundForm(forms.Form):
    title = forms.CharField(label=_("名称"), max_length=64, help_text=_("写进证书，例如“云杉市教育证书”。"))
    code = forms.SlugField(label=_("代码"), max_length=39, help_text=_("用在网址里，只用小写字母、数字与短横。"))
    parent = forms.ChoiceField(label=_("上级"), required=False)
    algorithm = forms.ChoiceField(label=_("算法"), choices=[(kind.value, word) for kind, word in ALGORITHMS.items()])
    years = forms.IntegerField(label=_("年限"), min_value=1, max_value=30, initial=10)

    def __init__(self, *args: Any, parents: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("无，建立根证书")), *parents]
        self.fields["parent"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField


class CertificateFileField(forms.FileField):
    """A certificate file as bytes, no longer than such files are."""

    widget = forms.FileInput(attrs={"class": "form-control"})

    def clean(self, data: Any, initial: Any = None) -> bytes:
        file = super().clean(data, initial)
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(_("文件太大，证书文件不超过 64 KB。"))
        return bytes(file.read())


class CertifyRegionForm(forms.Form):
    title = forms.CharField(label=_("对方"), max_length=100, help_text=_("下级地区的名称，只在本平台显示。"))
    request = CertificateFileField(label=_("对方的申请文件"), help_text=_("PKCS#10 文件，PEM 或 DER。"))
    days = forms.IntegerField(label=_("有效天数"), min_value=1, max_value=3653, initial=3653)


class ConfirmRegionForm(forms.Form):
    """What was read from the file once more, and that somebody has compared it."""

    title = forms.CharField(max_length=100, widget=forms.HiddenInput)
    request_text = forms.CharField(max_length=MAX_FILE_BYTES * 2, widget=forms.HiddenInput)
    days = forms.IntegerField(min_value=1, max_value=3653, widget=forms.HiddenInput)
    is_compared = forms.BooleanField(label=_("已当面或打电话与对方核对公钥指纹，一致"))


class CheckForm(forms.Form):
    certificate = CertificateFileField(
        label=_("证书文件"), help_text=_("PEM 或 DER 文件，不超过 64 KB。有证书链时，要查的证书放在最前。")
    )


class AcceptForm(forms.Form):
    chain = CertificateFileField(label=_("上级给的证书链"), help_text=_("PEM 文件，本机构的证书在最前，根证书在最后。"))


class TrustRootForm(forms.Form):
    title = forms.CharField(label=_("名称"), max_length=100, help_text=_("对方地区或机构。"))
    certificate = CertificateFileField(label=_("根证书"), help_text=_("PEM 或 DER 文件。"))
    fingerprint = forms.CharField(
        label=_("SHA-256 指纹"), max_length=100, help_text=_("请当面或打电话问对方，不要从同一个邮件里抄。")
    )
