"""Every address and every operation of the API, for every role, inside and outside its scope.

The areas must name every URL pattern of the house: an undeclared one fails the test, so that nobody adds a page
without saying who may see it. "Near" objects lie in the school of the cast's people, "far" ones in another city.
"""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.cast import Cast
from tests.house.access import (
    accounts,
    apps,
    backups,
    binding,
    casework_builder,
    casework_cases,
    casework_collections,
    casework_draws,
    casework_forms,
    casework_hall,
    casework_packs,
    casework_registers,
    catalogue,
    certified,
    consent,
    courses,
    digital,
    doors,
    evidence,
    exchange,
    federation,
    life_cycle,
    lti,
    measured,
    oneroster,
    open_data,
    portal,
    quality,
    quarantine,
    records,
    roster_sources,
    scim,
    sharing,
    sources,
    standards,
    statistics,
    tokens,
    workbench,
)
from tests.house.access.frame import DONE, EVERYBODY, Address, Area, Places

AREAS: dict[str, Area] = {
    "casework_forms": casework_forms.AREA,
    "accounts": accounts.AREA,
    "backups": backups.AREA,
    "binding": binding.AREA,
    "evidence": evidence.AREA,
    "portal": portal.AREA,
    "sources": sources.AREA,
    "quality": quality.AREA,
    "quarantine": quarantine.AREA,
    "open_data": open_data.AREA,
    "roster sources": roster_sources.AREA,
    "sharing": sharing.AREA,
    "statistics": statistics.AREA,
    "exchange": exchange.AREA,
    "workbench": workbench.AREA,
    "collections": casework_collections.AREA,
    "consent": consent.AREA,
    "measured": measured.AREA,
    "apps": apps.AREA,
    "digital": digital.AREA,
    "doors": doors.AREA,
    "tokens": tokens.AREA,
    "federation": federation.AREA,
    "catalogue": catalogue.AREA,
    "certified": certified.AREA,
    "casework_packs": casework_packs.AREA,
    "life_cycle": life_cycle.AREA,
    "lti": lti.AREA,
    "records": records.AREA,
    "courses": courses.AREA,
    "oneroster": oneroster.AREA,
    "scim": scim.AREA,
    "standards": standards.AREA,
    "casework_cases": casework_cases.AREA,
    "casework_draws": casework_draws.AREA,
    "casework_hall": casework_hall.AREA,
    "casework_registers": casework_registers.AREA,
    "casework_builder": casework_builder.AREA,
}
ADDRESSES = {name: address for area in AREAS.values() for name, address in area.addresses.items()}
EXCEPTIONS = {pair: status for area in AREAS.values() for pair, status in area.exceptions.items()}


def patterns(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            yield f"{namespace}{pattern.name}"


def answered(client: Client, method: str, url: str, fields: dict[str, str] | None = None) -> int:
    """The status of one request, everything it did undone, limits of tries too: a quick machine reaches them in a minute."""
    cache.clear()
    cookies = {key: morsel.value for key, morsel in client.cookies.items()}
    with transaction.atomic():
        status = (client.post(url, fields) if fields else client.generic(method, url)).status_code
        transaction.set_rollback(True)
    client.cookies.clear()
    for key, value in cookies.items():
        client.cookies[key] = value
    return status


def expected(name: str, address: Address, method: str, role: str, place: int) -> set[int]:
    if role in (address.far if place else address.near):
        return set(address.granted) or DONE[method]
    return {EXCEPTIONS[name, role]} if (name, role) in EXCEPTIONS else set(address.denied)


def surprises(cast: Cast, addresses: dict[str, Address], places: Places) -> list[str]:
    clients = {role: cast.client(role) for role in sorted(EVERYBODY)}
    for client in clients.values():
        # From the first page on the session keeps what menus need; in `answered` it would be forgotten each time.
        client.get("/account/")
    found = []
    for name, address in addresses.items():
        for place, word in enumerate(("near", "far")[: 2 if address.objects else 1]):
            url = places.url(name, address, place)
            for method in address.methods:
                for role, client in clients.items():
                    status = answered(client, method, url, places.fields(address, place))
                    wanted = expected(name, address, method, role, place)
                    if status not in wanted:
                        found.append(f"{method} {name} {word} as {role}: {status}, declared {sorted(wanted)}")
    return found


def strangers(addresses: dict[str, Address], places: Places) -> list[str]:
    """What somebody who is not signed in gets."""
    found = []
    for name, address in addresses.items():
        url = places.url(name, address, 0)
        status = answered(Client(), address.methods[0], url)
        if status != address.stranger:
            found.append(f"{name} for a stranger: {status}, declared {address.stranger}")
    return found


def changed_by_reading(cast: Cast, addresses: dict[str, Address], places: Places) -> list[str]:
    """Addresses that change something must not answer a GET, which browsers send on their own."""
    client = cast.client("province_officer")
    actions = {name: address for name, address in addresses.items() if address.methods == ("POST",)}
    return [name for name, address in actions.items() if answered(client, "GET", places.url(name, address, 0)) != 405]


def test_every_address_is_declared() -> None:
    standing = set(patterns(get_resolver()))
    assert standing - set(ADDRESSES) == set(), "add these to ADDRESSES and say who may see them"
    assert set(ADDRESSES) - standing == set(), "these no longer exist"


@pytest.mark.usefixtures("bare_refusals")
@pytest.mark.parametrize("name", list(AREAS))
def test_everybody_gets_what_is_declared(cast: Cast, name: str, caplog: pytest.LogCaptureFixture) -> None:
    area = AREAS[name]
    places = Places(area.places(cast))
    caplog.clear()
    found = [
        read(cast, area.addresses, places) for read in (surprises, lambda _cast, *rest: strangers(*rest), changed_by_reading)
    ]
    assert "\n".join(line for lines in found for line in lines) == ""
