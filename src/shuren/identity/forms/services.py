"""What is written down about services that let people in through us."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.identity.rules.released import ATTRIBUTES, USERS
from shuren.identity.selectors.clients import governed_choices

USER_NAMES: dict[str, str | Promise] = {
    "pairwise": _("只给这个服务的代号（推荐）"),
    "number": _("个人编号"),
    "username": _("用户名"),
}
ATTRIBUTE_NAMES: dict[str, str | Promise] = {
    "name": _("姓名"),
    "number": _("个人编号"),
    "pupil_number": _("学籍号"),
    "staff_number": _("教职工号"),
    "grade": _("年级"),
    "email": _("电子邮箱"),
    "phone": _("手机号"),
    "roles": _("角色"),
    "orgs": _("所在机构的编号"),
}


class BranchForm(forms.Form):
    """A name, and the branch whose people it is for."""

    name = forms.CharField(label=_("名称"), max_length=80, error_messages={"required": _("请填写名称。")})
    org_code = forms.CharField(
        label=_("机构代码"),
        max_length=64,
        required=False,
        help_text=_("只对这个机构及其下级的人开放；不填就是您管理的整个范围。"),
    )


class ReleaseForm(BranchForm):
    """A service and what it may know of the people who come."""

    user = forms.ChoiceField(label=_("怎样称呼登录的人"), choices=[(key, USER_NAMES[key]) for key in USERS], initial="pairwise")
    attributes = forms.MultipleChoiceField(
        label=_("可以知道什么"),
        choices=[(key, ATTRIBUTE_NAMES[key]) for key in ATTRIBUTES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("只勾选服务真正用得到的。学生的资料按本人或监护人的同意给出。"),
    )
    client_id = forms.ChoiceField(
        label=_("应用登记里的应用"),
        required=False,
        help_text=_("外面公司的软件要先通过审核；学校选用了才能登录，停用或下架后马上不能登录。"),
    )
    is_first_party = forms.BooleanField(
        label=_("是本单位自己的软件，不归外面的公司"),
        required=False,
        help_text=_("勾选后，给出资料不再逐个征求同意。"),
    )

    field_order: Sequence[str] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = dict(governed_choices())
        kept = self.initial.get("client_id", "")
        self.fields["client_id"].choices = [  # type: ignore[attr-defined]  # a ChoiceField, as declared above
            ("", _("不属于登记的应用")),
            *({kept: kept} | choices if kept else choices).items(),
        ]


class CasServiceForm(ReleaseForm):
    """A service that speaks CAS."""

    address = forms.CharField(
        label=_("服务地址"),
        max_length=800,
        help_text=_("网址和路径；这个路径下面的所有页面都可以用。例如 https://lib.example.org/portal/"),
        error_messages={"required": _("请填写服务地址。")},
    )
    may_proxy = forms.BooleanField(label=_("可以代替登录的人访问其他服务"), required=False)
    signs_out = forms.BooleanField(label=_("退出时通知它"), required=False, initial=True)
    field_order = ("name", "address", "org_code", "user", "attributes", "client_id", "is_first_party", "may_proxy", "signs_out")


class SamlServiceForm(ReleaseForm):
    """A service that speaks SAML 2.0, by the address of its metadata or the metadata themselves."""

    metadata_url = forms.CharField(
        label=_("元数据网址"), max_length=800, required=False, help_text=_("服务公布 SAML 元数据的网址；没有就在下面贴内容。")
    )
    metadata = forms.CharField(
        label=_("元数据"),
        max_length=500_000,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )
    field_order = ("name", "metadata_url", "metadata", "org_code", "user", "attributes", "client_id", "is_first_party")

    def clean(self) -> dict[str, object]:
        found: dict[str, object] = super().clean() or {}
        if not found.get("metadata_url") and not found.get("metadata"):
            raise forms.ValidationError(_("请填写元数据网址，或者贴上元数据的内容。"))
        return found


class UpstreamForm(BranchForm):
    """An identity provider above or beside us."""

    kind = forms.ChoiceField(label=_("种类"), choices=[("oidc", "OpenID Connect"), ("cas", "CAS"), ("ldap", "LDAP")])
    address = forms.CharField(
        label=_("对方的地址"),
        max_length=500,
        help_text=_("OpenID Connect 填发行者网址，CAS 填服务器网址，LDAP 填 ldaps://主机。"),
        error_messages={"required": _("请填写对方的地址。")},
    )
    client_id = forms.CharField(
        label=_("编号"), max_length=300, required=False, help_text=_("OpenID Connect 的 client_id，或者 LDAP 查询账号的 DN。")
    )
    secret = forms.CharField(
        label=_("密钥"),
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("不填就保留原来的。"),
    )
    matching = forms.ChoiceField(
        label=_("怎样认人"),
        choices=[
            ("number", _("按个人编号、学籍号或工号")),
            ("sourced_id", _("按名册里的外部编号")),
            ("linked", _("本人登录后自己绑定")),
        ],
    )
    claim = forms.CharField(
        label=_("对方用哪个属性给出编号"), max_length=60, required=False, help_text=_("CAS 和 LDAP 不填就用登录名。")
    )
    base_dn = forms.CharField(
        label=_("LDAP 查找位置"), max_length=300, required=False, help_text=_("例如 ou=people,dc=school,dc=edu")
    )
    user_attribute = forms.CharField(label=_("LDAP 登录名属性"), max_length=60, required=False, initial="uid")
    field_order = ("name", "kind", "address", "client_id", "secret", "org_code", "matching", "claim", "base_dn", "user_attribute")


class AddressForm(forms.Form):
    """An address to try."""

    address = forms.CharField(label=_("要试的网址"), max_length=2000, error_messages={"required": _("请填写网址。")})
