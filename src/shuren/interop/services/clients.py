"""The OAuth clients of apps: one for the sandbox, one for the region, both kept by identity."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity import api as identity
from shuren.identity.data import ClientAuth, GrantType, NewClient
from shuren.interop.data import DataPurpose, Entry, LaunchKind, Secret
from shuren.interop.models import App, AppVersion, Installation, Listing, Sandbox
from shuren.interop.rules.entries import SIGN_IN_SCOPES
from shuren.interop.rules.lti.names import SCOPES as LTI_SCOPES
from shuren.interop.selectors.apps import access_own_app, entry_of, newest_version
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict

_BROWSER = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN})


def client_of(entry: Entry, *, org_id: int | None) -> NewClient:
    """What identity is told of an app: pairwise subjects, consent asked, no reach of its own beyond `org_id`."""
    is_oidc, is_lti = entry.kind is LaunchKind.OIDC, entry.kind is LaunchKind.LTI
    own_scopes = SIGN_IN_SCOPES if is_oidc else frozenset(LTI_SCOPES) if is_lti else frozenset({"app"})
    return NewClient(
        name=entry.name,
        redirect_uris=entry.redirect_uris if is_oidc else (),
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}) | (_BROWSER if is_oidc else frozenset()),
        scopes=frozenset(entry.scopes) | own_scopes,
        auth=ClientAuth.PRIVATE_KEY_JWT if is_lti else ClientAuth.BASIC,
        jwks_uri=entry.jwks_uri if is_lti else "",
        sector=(urlsplit(entry.redirect_uris[0]).hostname or "") if is_oidc and entry.redirect_uris else "",
        backchannel_logout_uri=entry.logout_url if is_oidc else "",
        org_id=org_id,
        purpose=_purpose(entry),
        is_governed=True,
    )


def _purpose(entry: Entry) -> str:
    """What the consents to the claims of a sign-in were asked for: where the entry wants the name, else the first one."""
    named = next((wish for wish in entry.wishes if wish.element == "person.name"), next(iter(entry.wishes), None))
    return (named.purpose if named else DataPurpose.SIGN_IN).value


def ensure_client(app: App, entry: Entry, *, actor: Actor, now: datetime) -> None:
    """Register the approved entry's client, or write it anew for a newer one; the secret is drawn by the vendor."""
    client = client_of(entry, org_id=None)
    if app.client_id and _proves_otherwise(app.client_id, client):
        identity.disable_client(actor=actor, client_id=app.client_id, now=now)
        app.client_id = None
    if app.client_id:
        client = replace(client, purpose=_purpose_in_use(app, client.purpose))
        identity.change_client(actor=actor, client_id=app.client_id, client=client, now=now)
        return
    made = identity.register_client(actor=actor, client=client, now=now)
    app.client_id = made.client_id
    app.save(update_fields=["client_id"])


def settle_purpose(app: App, *, actor: Actor, now: datetime) -> None:
    """Give the client the purpose of the current entry, once nobody can use a version that asked for another one."""
    held = identity.client_by_client_id(app.client_id or "")
    if held is None or app.current is None:
        return
    entry = entry_of(app.current)
    if held.purpose != _purpose_in_use(app, _purpose(entry)):
        ensure_client(app, entry, actor=actor, now=now)


def _purpose_in_use(app: App, wanted: str) -> str:
    """The client's purpose as it stands while an org uses, or may choose, a version that asked for it, else `wanted`.

    One client has one purpose: another one would turn the no of people who were asked for the former into no answer at all.
    """
    held = identity.client_by_client_id(app.client_id or "")
    if held is None or held.purpose == wanted:
        return wanted
    ids = [
        *Installation.objects.filter(app=app, ended_at__isnull=True).values_list("version_id", flat=True).distinct(),
        *Listing.objects.filter(app=app, ended_at__isnull=True).values_list("version_id", flat=True).distinct(),
    ]
    is_used = any(_purpose(entry_of(version)) == held.purpose for version in AppVersion.objects.filter(pk__in=ids))
    return held.purpose if is_used else wanted


def _proves_otherwise(client_id: str, client: NewClient) -> bool:
    """How a client proves itself stands for ever: an app that goes over to LTI, or comes from it, gets another client."""
    held = identity.client_by_client_id(client_id)
    return held is not None and held.auth is not client.auth


def draw_secret(*, actor: Actor, app_id: int, is_sandbox: bool, now: datetime) -> Secret:
    """A further secret of the app's client, by its vendor, shown once; older ones stay good for seven days.

    LTI apps have none: they sign with a key of their own, and the secret comes back empty.

    The sandbox client is made on first asking and reaches nothing but the vendor's synthetic school.
    """
    app = access_own_app(actor=actor, id=app_id, now=now)
    with transaction.atomic():
        app = App.objects.select_for_update().get(pk=app.pk)
        version = newest_version(app)
        if version is None or (not is_sandbox and not app.client_id):
            raise Conflict(_("审核通过后才有正式的接口账号。"))
        if is_sandbox:
            return _sandbox_secret(app, entry_of(version), actor=actor, now=now)
        client_id = app.client_id or ""
        if (app.current or version).kind == LaunchKind.LTI:
            return Secret(client_id=client_id, client_secret="")
        secret = identity.add_client_secret(actor=actor, client_id=client_id, now=now)
        audit.record(actor=actor, action="interop.secret_drawn", target=f"app:{app.pk}", now=now)
    return Secret(client_id=client_id, client_secret=secret)


def _sandbox_secret(app: App, entry: Entry, *, actor: Actor, now: datetime) -> Secret:
    sandbox = Sandbox.objects.filter(vendor_id=app.vendor_id).first()
    if sandbox is None:
        raise Conflict(_("还没有沙箱。"), remedy=_("请先在“沙箱”页建立合成学校。"))
    client = client_of(entry, org_id=sandbox.org_id)
    client = replace(client, name=_("%(name)s（沙箱）") % {"name": entry.name})
    audit.record(actor=actor, action="interop.sandbox_secret_drawn", target=f"app:{app.pk}", now=now)
    if app.sandbox_client_id and _proves_otherwise(app.sandbox_client_id, client):
        identity.disable_client(actor=actor, client_id=app.sandbox_client_id, now=now)
        app.sandbox_client_id = None
    if not app.sandbox_client_id:
        made = identity.register_client(actor=actor, client=client, now=now)
        App.objects.filter(pk=app.pk).update(sandbox_client_id=made.client_id)
        return Secret(client_id=made.client_id, client_secret=made.client_secret)
    identity.change_client(actor=actor, client_id=app.sandbox_client_id, client=client, now=now)
    if client.auth is ClientAuth.PRIVATE_KEY_JWT:
        return Secret(client_id=app.sandbox_client_id, client_secret="")
    secret = identity.add_client_secret(actor=actor, client_id=app.sandbox_client_id, now=now)
    return Secret(client_id=app.sandbox_client_id, client_secret=secret)


def turn_clients(app: App, *, is_on: bool, actor: Actor, now: datetime) -> None:
    """Shut the app's clients out, or let them in again; tokens from before stay dead."""
    for client_id in (app.client_id, app.sandbox_client_id):
        if client_id:
            turn = identity.enable_client if is_on else identity.disable_client
            turn(actor=actor, client_id=client_id, now=now)
