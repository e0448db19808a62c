"""Our side as pysaml2 knows it, for one service at a time."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAME_FORMAT_URI
from saml2.server import Server

from shuren.identity.rules.saml import names
from shuren.identity.services.saml.keys import certificate_file, key_file, shown_versions, xmlsec_path
from shuren.kernel import clock
from shuren.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class Address:
    """Where we stand: the address of this installation without a slash at its end."""

    base: str

    @property
    def entity_id(self) -> str:
        return f"{self.base}/saml/metadata"

    @property
    def sso(self) -> str:
        return f"{self.base}/saml/sso"

    @property
    def slo(self) -> str:
        return f"{self.base}/saml/slo"


def server_for(address: Address, metadata: str | None) -> Server:
    """A server that knows one service by its metadata, none at all to write our own metadata."""
    return Server(config=_config(address, metadata))


def own_metadata(address: Address) -> str:
    return str(entity_descriptor(_config(address, None)))


def _config(address: Address, metadata: str | None) -> IdPConfig:
    xmlsec = xmlsec_path()
    if xmlsec is None:
        raise Conflict(_("这台服务器没有安装 xmlsec1，SAML 登录暂时关闭。"), remedy=_("请系统管理员安装 xmlsec1 后再试。"))
    signing, *others = shown_versions(now=clock.now())
    idp: dict[str, Any] = {
        "endpoints": {
            "single_sign_on_service": [(address.sso, names.REDIRECT), (address.sso, names.POST)],
            "single_logout_service": [(address.slo, names.REDIRECT), (address.slo, names.POST)],
        },
        "sign_response": True,
        "sign_assertion": True,
        "signing_algorithm": names.RSA_SHA256,
        "digest_algorithm": names.SHA256,
        "name_id_format": [names.PERSISTENT, names.UNSPECIFIED],
        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None, "name_form": NAME_FORMAT_URI}},
    }
    return IdPConfig().load(
        {
            "entityid": address.entity_id,
            "xmlsec_binary": xmlsec,
            "key_file": key_file(signing),
            "cert_file": certificate_file(signing),
            "additional_cert_files": [certificate_file(key) for key in others],
            "service": {"idp": idp},
            "metadata": {"inline": [metadata]} if metadata else {},
        }
    )
