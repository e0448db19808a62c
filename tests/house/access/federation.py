"""CAS, and the services and providers that are kept by whoever manages sign-in."""

from dataclasses import replace

from shuren.identity.services.cas.register import NewCasService, register_cas_service
from shuren.identity.services.saml.register import NewSamlService, register_saml_service
from shuren.identity.services.upstream.register import NewUpstream, register_upstream
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, Address, Area, act, form, page, public, roles

KEEPERS = roles("system_admin security_admin")

FEDERATION: dict[str, Address] = {
    "identity:cas_root": public("GET", granted=302, stranger=302),
    "identity:cas_login": public("GET", granted=302, stranger=302),
    "identity:cas_logout": public("GET"),
    "identity:cas_validate": public("GET"),
    "identity:cas_service_validate": public("GET"),
    "identity:cas_proxy_validate": public("GET"),
    "identity:cas_proxy": public("GET"),
    "identity:cas_p3_service_validate": public("GET"),
    "identity:cas_p3_proxy_validate": public("GET"),
    "identity:cas_saml_validate": public("POST"),
    "identity:cas_services": page(KEEPERS, denied=403),
    "identity:add_cas_service": form(KEEPERS, KEEPERS, 403),
    "identity:try_cas_address": form(KEEPERS, KEEPERS, 403),
    "identity:correct_cas": form(KEEPERS, KEEPERS, service_id="cas_service"),
    "identity:switch_cas": act(KEEPERS, KEEPERS, service_id="cas_service", turn="turn"),
    "identity:upstreams_at_door": public("GET"),
    "identity:upstream": replace(public("GET"), far=EVERYBODY, objects={"upstream_id": "upstream"}),
    "identity:upstream_back": replace(
        public("GET", granted=400, stranger=400), far=EVERYBODY, objects={"upstream_id": "upstream"}
    ),
    "identity:upstream_backchannel": replace(
        public("POST", granted=400, stranger=400), far=EVERYBODY, objects={"upstream_id": "upstream"}
    ),
    "identity:upstream_link": page(EVERYBODY, granted=400),
    "identity:upstreams": page(KEEPERS, denied=403),
    "identity:add_upstream": form(KEEPERS, KEEPERS, 403),
    "identity:correct_upstream": form(KEEPERS, KEEPERS, upstream_id="upstream"),
    "identity:try_upstream": act(KEEPERS, KEEPERS, upstream_id="upstream"),
    "identity:switch_upstream": act(KEEPERS, KEEPERS, upstream_id="upstream", turn="turn"),
    "identity:saml_metadata": public("GET"),
    "identity:saml_sso": public("GET", "POST", granted=403, stranger=403),
    "identity:saml_answer": public("GET", granted=403, stranger=403),
    "identity:saml_slo": public("GET", "POST", granted=403, stranger=403),
    "identity:saml_services": page(KEEPERS, denied=403),
    "identity:add_saml_service": form(KEEPERS, KEEPERS, 403),
    "identity:turn_saml_key": act(KEEPERS, KEEPERS, 403),
    "identity:correct_saml": form(KEEPERS, KEEPERS, service_id="saml_service"),
    "identity:switch_saml": act(KEEPERS, KEEPERS, service_id="saml_service", turn="turn"),
}
METADATA = """<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://{name}.example.org/">
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><AssertionConsumerService index="0"
Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://{name}.example.org/acs"/></SPSSODescriptor>
</EntityDescriptor>"""


def federation_places(cast: Cast) -> dict[str, tuple[str, str]]:
    def cas_service(org: str) -> str:
        new = NewCasService(
            name=org, address=f"https://{org.replace('_', '-')}.example.org/", org_id=cast.orgs[org].id, is_first_party=True
        )
        return ids.encode("cas_service", register_cas_service(actor=SYSTEM, service=new, now=cast.now))

    def saml_service(org: str) -> str:
        new = NewSamlService(name=org, metadata=METADATA.format(name=org), org_id=cast.orgs[org].id, is_first_party=True)
        return ids.encode("saml_service", register_saml_service(actor=SYSTEM, service=new, now=cast.now))

    def upstream(org: str) -> str:
        new = NewUpstream(name=org, kind="ldap", address="ldaps://ldap.invalid", org_id=cast.orgs[org].id)
        return ids.encode("upstream", register_upstream(actor=SYSTEM, upstream=new, now=cast.now))

    return {
        "cas_service": (cas_service("school"), cas_service("far_school")),
        "saml_service": (saml_service("school"), saml_service("far_school")),
        "upstream": (upstream("school"), upstream("far_school")),
        "turn": ("off", "off"),
    }


AREA = Area(FEDERATION, federation_places)
