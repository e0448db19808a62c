"""Reads of apps that may ask for tokens."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.data import ClientAuth, ClientData, ClientStatus, GrantType, SubjectType
from shuren.identity.models import Client, ClientSecret
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of


def client_data(row: Client) -> ClientData:
    return ClientData(
        id=row.pk,
        public_id=ids.encode("client", row.pk),
        client_id=row.client_id,
        name=row.name,
        status=ClientStatus(row.status),
        auth=ClientAuth(row.auth),
        grant_types=frozenset(map(GrantType, row.grant_types)),
        scopes=frozenset(row.scopes),
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        jwks=row.jwks,
        jwks_uri=row.jwks_uri,
        subject_type=SubjectType(row.subject_type),
        sector=row.sector,
        is_first_party=row.is_first_party,
        org_id=row.org_id,
        backchannel_logout_uri=row.backchannel_logout_uri,
        id_token_alg=row.id_token_alg,
        purpose=row.purpose,
        is_governed=row.is_governed,
        created_at=row.created_at,
    )


def client_by_client_id(client_id: str) -> ClientData | None:
    """The app that goes by this `client_id`, in whatever state."""
    row = Client.objects.filter(client_id=client_id).first() if client_id else None
    return client_data(row) if row else None


def clients_by_ids(ids_: list[int]) -> dict[int, ClientData]:
    return {row.pk: client_data(row) for row in Client.objects.filter(pk__in=ids_)}


def governed_client(client_id: str) -> ClientData | None:
    """The client of an app of the register that goes by this `client_id`."""
    found = client_by_client_id(client_id)
    return found if found is not None and found.is_governed else None


def governed_choices() -> list[tuple[str, str]]:
    """Apps of the register that may be used now, by `client_id` and name, for a list to choose from."""
    rows = Client.objects.filter(is_governed=True, status=ClientStatus.ACTIVE).order_by("name", "id")
    return list(rows.values_list("client_id", "name"))


def may_manage_clients(*, actor: Actor, now: datetime) -> bool:
    """Clients belong to the whole installation: whoever manages sign-in anywhere manages them."""
    return actor.is_system or Permission.MANAGE_SIGN_IN in directory.permissions_of(actor=actor, now=now)


def access_client(*, actor: Actor, id: int, now: datetime) -> ClientData:
    """The client with row id `id`, if `actor` manages sign-in; otherwise `NotFound`."""
    row = Client.objects.filter(pk=id).first() if may_manage_clients(actor=actor, now=now) else None
    if row is None:
        raise NotFound(_("没有找到这个应用。"))
    return client_data(row)


def page_of_clients(*, search: str, status: str, number: int, size: int) -> Page[ClientData]:
    """Clients, the newest first; `search` looks in name and client_id."""
    rows: QuerySet[Client] = Client.objects.order_by("-created_at", "-id")
    if search:
        rows = rows.filter(Q(name__contains=search) | Q(client_id=search))
    if status:
        rows = rows.filter(status=status)
    return page_of(rows, client_data, number=number, size=size)


def secrets_of(client_id: int) -> list[ClientSecret]:
    """Secrets of a client, the newest first; their text is known to nobody here."""
    return list(ClientSecret.objects.filter(client_id=client_id).order_by("-created_at", "-id"))
