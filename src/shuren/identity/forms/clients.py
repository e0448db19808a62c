"""What whoever manages sign-in writes down about an app."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shuren.identity.data import ClientAuth, ClientData, GrantType, NewClient, SubjectType
from shuren.identity.rules.oauth.asking import OPENID_SCOPES
from shuren.identity.rules.oauth.registration import ID_TOKEN_ALGORITHMS
from shuren.identity.rules.oauth.scopes import API_SCOPES, BADGE_SCOPES, RECORD_SCOPES

CLIENT_SCOPES = (*OPENID_SCOPES, *API_SCOPES, *BADGE_SCOPES, *RECORD_SCOPES)
_GRANTS = [
    (GrantType.AUTHORIZATION_CODE.value, _("用户从应用登录（授权码）")),
    (GrantType.REFRESH_TOKEN.value, _("自动续期（刷新令牌）")),
    (GrantType.CLIENT_CREDENTIALS.value, _("应用自己调用接口（客户端凭据）")),
    (GrantType.DEVICE_CODE.value, _("没有键盘的设备（设备码）")),
]
_WAYS = [
    (ClientAuth.BASIC.value, _("密钥，放在请求头（client_secret_basic）")),
    (ClientAuth.POST.value, _("密钥，放在表单里（client_secret_post）")),
    (ClientAuth.PRIVATE_KEY_JWT.value, _("应用自己的密钥对（private_key_jwt）")),
    (ClientAuth.NONE.value, _("不能保密的应用，如手机应用（none）")),
]
_SUBJECTS = [
    (SubjectType.PAIRWISE.value, _("每个应用看到的编号不同（第三方应用用这个）")),
    (SubjectType.PUBLIC.value, _("所有应用看到同一个编号")),
]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


class ClientForm(forms.Form):
    """One column; what the parts must look like together is checked by the registration itself."""

    name = forms.CharField(label=_("应用名称"), max_length=80)
    auth = forms.ChoiceField(label=_("怎样证明自己是这个应用"), choices=_WAYS)
    grant_types = forms.MultipleChoiceField(label=_("怎样取得令牌"), choices=_GRANTS, widget=forms.CheckboxSelectMultiple)
    redirect_uris = forms.CharField(
        label=_("登录后返回的网址"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("一行一个，要求一字不差。"),
    )
    post_logout_redirect_uris = forms.CharField(
        label=_("退出后返回的网址"), required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("一行一个。")
    )
    backchannel_logout_uri = forms.CharField(
        label=_("退出通知网址"), required=False, max_length=500, help_text=_("用户退出时，平台会通知这个网址。")
    )
    scopes = forms.MultipleChoiceField(
        label=_("能得到的信息"),
        choices=[(scope, scope) for scope in CLIENT_SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("第三方应用读取姓名和证书，还要本人（不满 14 岁的由监护人）同意；没有同意就读不到。"),
    )
    subject_type = forms.ChoiceField(label=_("用户编号"), choices=_SUBJECTS)
    is_first_party = forms.BooleanField(
        label=_("本平台自己的应用"), required=False, help_text=_("勾选后不再逐个询问用户是否同意；第三方应用不要勾选。")
    )
    id_token_alg = forms.ChoiceField(label=_("身份令牌签名算法"), choices=[(name, name) for name in ID_TOKEN_ALGORITHMS])
    jwks_uri = forms.CharField(label=_("应用公钥网址"), required=False, max_length=500, help_text=_("用密钥对证明自己时填写。"))
    jwks = forms.CharField(
        label=_("应用公钥（JWKS）"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("没有网址时粘贴公钥，只要公钥。"),
    )

    def clean_jwks(self) -> dict[str, Any] | None:
        text: str = self.cleaned_data["jwks"].strip()
        if not text:
            return None
        try:
            jwks = json.loads(text)
        except ValueError:
            raise forms.ValidationError(_("这不是 JSON。")) from None
        if not isinstance(jwks, dict):
            raise forms.ValidationError(_("这不是 JSON。"))
        return jwks

    def new_client(self, *, org_id: int | None) -> NewClient:
        facts = self.cleaned_data
        return NewClient(
            name=facts["name"],
            redirect_uris=_lines(facts["redirect_uris"]),
            post_logout_redirect_uris=_lines(facts["post_logout_redirect_uris"]),
            grant_types=frozenset(map(GrantType, facts["grant_types"])),
            scopes=frozenset(facts["scopes"]),
            auth=ClientAuth(facts["auth"]),
            jwks=facts["jwks"],
            jwks_uri=facts["jwks_uri"],
            subject_type=SubjectType(facts["subject_type"]),
            is_first_party=facts["is_first_party"],
            org_id=org_id,
            backchannel_logout_uri=facts["backchannel_logout_uri"],
            id_token_alg=facts["id_token_alg"],
        )


def client_initial(client: ClientData) -> dict[str, Any]:
    """The form of a client that stands."""
    return {
        "name": client.name,
        "auth": client.auth.value,
        "grant_types": [grant.value for grant in client.grant_types],
        "redirect_uris": "\n".join(client.redirect_uris),
        "post_logout_redirect_uris": "\n".join(client.post_logout_redirect_uris),
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "scopes": sorted(client.scopes),
        "subject_type": client.subject_type.value,
        "is_first_party": client.is_first_party,
        "id_token_alg": client.id_token_alg,
        "jwks_uri": client.jwks_uri,
        "jwks": json.dumps(client.jwks) if client.jwks else "",
    }
