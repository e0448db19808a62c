"""Requests followed: who asks, whether they may, and what they are told."""

import base64
from datetime import datetime
from urllib.parse import quote_plus, urlencode

from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from saml2.s_utils import deflate_and_base64_encode
from saml2.saml import Issuer, NameID
from saml2.samlp import STATUS_SUCCESS, LogoutResponse, Status, StatusCode
from saml2.sigver import SigverError
from saml2.time_util import instant

from shuren.identity.models import SamlService, SamlSession, SignIn
from shuren.identity.rules.released import LDAP_NAMES
from shuren.identity.rules.saml import messages, names
from shuren.identity.rules.saml.messages import AuthnRequest, BadMessage, LogoutRequest, Query
from shuren.identity.rules.saml.metadata import Endpoint, ServiceProvider, read_metadata
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.selectors.belonging import is_of_branch
from shuren.identity.selectors.saml import saml_service_of
from shuren.identity.services.gate import check_person
from shuren.identity.services.release import release_attributes, user_name
from shuren.identity.services.saml.idp import Address, server_for
from shuren.identity.services.saml.keys import KEY, signing_version
from shuren.kernel import audit
from shuren.kernel.errors import Refused
from shuren.trust import api as trust

_LONGEST_RELAY_STATE = 1024


def check_authn_request(message: Query | bytes, *, address: Address, now: datetime) -> tuple[SamlService, AuthnRequest, Endpoint]:
    """The service behind a request, and the registered address its answer goes to; raises `BadMessage`."""
    root = messages.parsed(message.xml if isinstance(message, Query) else message, "AuthnRequest")
    request = messages.authn_request(root, now=now)
    service, provider = _service(request.issuer, now=now)
    is_signed = _check_signature(message, "authn_request", service, provider, address=address)
    if provider.signs_requests and not is_signed:
        raise BadMessage("the service signs its requests, this one is not signed")
    if request.destination and request.destination != address.sso:
        raise BadMessage("Destination is not this address")
    endpoint = provider.consumer(request.acs_url, request.acs_index, request.binding)
    if endpoint is None:
        raise BadMessage("the address for the answer is not in the metadata of the service")
    return service, request, endpoint


def check_logout_request(
    message: Query | bytes, *, address: Address, now: datetime
) -> tuple[SamlService, LogoutRequest, Endpoint]:
    """The service that says somebody has left, and where it wants its answer; unsigned requests are refused."""
    root = messages.parsed(message.xml if isinstance(message, Query) else message, "LogoutRequest")
    request = messages.logout_request(root, now=now)
    service, provider = _service(request.issuer, now=now)
    if not _check_signature(message, "logout_request", service, provider, address=address):
        raise BadMessage("the request is not signed")
    if request.destination and request.destination != address.slo:
        raise BadMessage("Destination is not this address")
    endpoint = provider.logout(names.REDIRECT) or provider.logout(names.POST)
    if endpoint is None:
        raise BadMessage("the metadata of the service names no address for sign-out")
    return service, request, endpoint


@transaction.atomic
def answer_request(
    *,
    service: SamlService,
    request_id: str,
    acs_url: str,
    sign_in: SignIn,
    class_ref: str,
    verified_at: datetime,
    address: Address,
    now: datetime,
) -> str:
    """A signed response with a signed assertion, in base64; raises `Refused` for people outside the service's branch
    or the schools that chose its app.

    `class_ref` tells how sure we are, `verified_at` when somebody last showed who they are.
    """
    account = sign_in.account
    check_person(service.client, actor=actor_of_account(account), now=now)
    if not is_of_branch(account.person_id, service.org.path, now=now):
        raise Refused(_("“%(name)s”只对%(org)s开放。") % {"name": service.name, "org": service.org.name})
    name_id = user_name(account, service.user, audience=service.entity_id)
    told = release_attributes(account, service, now=now)
    server = server_for(address, service.metadata)
    response = server.create_authn_response(
        identity={LDAP_NAMES.get(name, f"{address.base}/saml/attributes/{name}"): list(values) for name, values in told.items()},
        in_response_to=request_id,
        destination=acs_url,
        sp_entity_id=service.entity_id,
        name_id=NameID(
            format=names.PERSISTENT if service.user == "pairwise" else names.UNSPECIFIED,
            name_qualifier=address.entity_id,
            sp_name_qualifier=service.entity_id,
            text=name_id,
        ),
        authn={"class_ref": class_ref, "authn_instant": int(verified_at.timestamp())},
        sign_response=True,
        sign_assertion=True,
        sign_alg=names.RSA_SHA256,
        digest_alg=names.SHA256,
    )
    SamlSession.objects.create(
        service=service,
        account=account,
        sign_in_id=sign_in.pk,
        session_index=messages.session_index_of(str(response).encode()),
        name_id=name_id,
        begun_at=now,
    )
    audit.record(
        actor=actor_of_account(account),
        action="identity.saml_answered",
        target=f"saml_service:{service.pk}",
        details={"attributes": sorted(told)},
        now=now,
    )
    return base64.b64encode(str(response).encode()).decode()


def refuse_passive(*, service: SamlService, request_id: str, acs_url: str, address: Address) -> str:
    """`NoPassive`, signed: somebody would have to be asked, and nobody may be."""
    reason = (names.NO_PASSIVE, "nobody is signed in, or not as surely as asked for")
    return _refusal(reason, service=service, request_id=request_id, acs_url=acs_url, address=address)


def refuse_context(*, service: SamlService, request_id: str, acs_url: str, address: Address) -> str:
    """`NoAuthnContext`, signed: whoever is there cannot be recognised as surely as the service asks."""
    reason = (names.NO_CONTEXT, "none of the authentication contexts asked for can be met")
    return _refusal(reason, service=service, request_id=request_id, acs_url=acs_url, address=address)


def _refusal(reason: tuple[str, str], *, service: SamlService, request_id: str, acs_url: str, address: Address) -> str:
    server = server_for(address, service.metadata)
    response = server.create_error_response(
        request_id,
        acs_url,
        reason,
        sign=True,
        sign_alg=names.RSA_SHA256,
        digest_alg=names.SHA256,
    )
    return base64.b64encode(str(response).encode()).decode()


def answer_logout(*, request_id: str, endpoint: Endpoint, relay_state: str, address: Address, now: datetime) -> str:
    """The address, with a signed `LogoutResponse` in it, to send the browser to."""
    response = LogoutResponse(
        id=f"_{get_random_string(40)}",
        version="2.0",
        issue_instant=instant(time_stamp=now.timestamp()),
        in_response_to=request_id,
        destination=endpoint.response_url,
        issuer=Issuer(text=address.entity_id),
        status=Status(status_code=StatusCode(value=STATUS_SUCCESS)),
    )
    return signed_redirect(endpoint.response_url, str(response), relay_state, kind="SAMLResponse", now=now)


def signed_redirect(url: str, message: str, relay_state: str, *, kind: str, now: datetime) -> str:
    """A message of the redirect binding, signed the way saml-bindings 3.4.4.1 says."""
    fields = {kind: deflate_and_base64_encode(message).decode()}
    if relay_state:
        fields["RelayState"] = relay_state
    fields["SigAlg"] = names.RSA_SHA256
    query = urlencode(fields)
    signature = trust.sign(query.encode(), key=KEY, version=signing_version(now=now).version)
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{query}&Signature={quote_plus(base64.b64encode(signature))}"


def fit_relay_state(text: str) -> str:
    """What is given back as it came; a service that sends more than may be kept is told."""
    if len(text) > _LONGEST_RELAY_STATE:
        raise BadMessage("RelayState is too long")
    return text


def _service(entity_id: str, *, now: datetime) -> tuple[SamlService, ServiceProvider]:
    service = saml_service_of(entity_id)
    if service is None:
        raise BadMessage("the service is not registered")
    provider = read_metadata(service.metadata.encode())
    if provider.valid_until is not None and provider.valid_until <= now:
        raise BadMessage("the metadata of the service has run out")
    return service, provider


def _check_signature(
    message: Query | bytes, kind: str, service: SamlService, provider: ServiceProvider, *, address: Address
) -> bool:
    """Whether the message is signed; raises `BadMessage` where it is signed badly."""
    if isinstance(message, Query):
        if messages.check_signature_place(messages.parsed(message.xml, _TAGS[kind])):
            raise BadMessage("a redirect carries its signature beside the message, not in it")
        if not message.signature and not message.algorithm:
            return False
        if not messages.query_is_signed(message, provider.certificates):
            raise BadMessage("the signature does not fit")
        return True
    if not messages.check_signature_place(messages.parsed(message, _TAGS[kind])):
        return False
    server = server_for(address, service.metadata)
    try:
        server.sec.correctly_signed_message(message.decode(), kind, must=True, only_valid_cert=False)
    except (SigverError, ValueError, TypeError, AttributeError, KeyError) as fault:
        raise BadMessage("the signature does not fit") from fault
    return True


_TAGS = {"authn_request": "AuthnRequest", "logout_request": "LogoutRequest"}
