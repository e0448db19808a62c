"""Every address and every operation of the API, for every role, inside and outside its scope.

`ADDRESSES` must name every URL pattern of the portal: an undeclared one fails the test, so that nobody adds a page
without saying who may see it. "Near" objects lie in the school of the cast's people, "far" ones in another city.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.intake import api as intake
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.messaging import api as messaging
from shuren.work import api as work
from tests.cast import Cast
from tests.measured import measure

Roles = frozenset[str]


def roles(text: str) -> Roles:
    return frozenset(text.split())


EVERYBODY = frozenset(role.value for role in Role)
NOBODY = roles("")
ROOT = roles("province_officer")
OFFICERS = roles("county_officer city_officer province_officer")
ADMINS = roles("system_admin security_admin audit_admin")
MANAGERS = OFFICERS | roles("school_admin")
GRANTERS = MANAGERS | roles("head security_admin")
KNOWERS = MANAGERS | roles("pupil parent teacher class_teacher head")
READERS = MANAGERS | roles("class_teacher head expert")
FAMILY_AND_SCHOOL = roles("pupil parent class_teacher head")

DONE = {"GET": {200}, "POST": {200, 302, 400, 409}}


@dataclass(frozen=True, kw_only=True)
class Address:
    """Who is answered. `near` and `far` are granted on the object of that place; everybody else is `denied`."""

    near: Roles
    far: Roles = NOBODY
    objects: dict[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ("GET",)
    granted: frozenset[int] = frozenset()
    denied: frozenset[int] = frozenset({404})
    stranger: int = 302
    body: tuple[str, ...] = ()


def page(near: Roles, far: Roles = NOBODY, denied: int = 404, granted: int = 200, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, denied=frozenset({denied}), granted=frozenset({granted}))


def form(near: Roles, far: Roles = NOBODY, *denied: int, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, denied=frozenset(denied or {404}), methods=("GET", "POST"))


def act(near: Roles, far: Roles = NOBODY, denied: int = 404, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, denied=frozenset({denied}), methods=("POST",))


def call(near: Roles, far: Roles = NOBODY, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, stranger=401)


def public(*methods: str, granted: int = 200, stranger: int = 200) -> Address:
    return Address(near=EVERYBODY, methods=methods, granted=frozenset({granted}), stranger=stranger)


PORTAL: dict[str, Address] = {
    "front:home": page(EVERYBODY),
    "front:health": public("GET"),
    "front:language": public("POST", granted=302, stranger=302),
    "front:imports": page(MANAGERS, denied=403),
    "front:new_import": form(MANAGERS, MANAGERS, 403, kind_name="kind"),
    "front:import_template": page(MANAGERS, MANAGERS, denied=403, kind_name="kind"),
    "front:import": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:import_progress": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:import_findings": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:import_workbook": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:apply_import": act(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:undo_import": act(NOBODY, import_id="import"),
    "front:jobs": page(EVERYBODY),
    "front:job": page(roles("school_admin province_officer system_admin"), roles("province_officer system_admin"), job_id="job"),
    "front:job_progress": page(
        roles("school_admin province_officer system_admin"), roles("province_officer system_admin"), job_id="job"
    ),
    "front:cancel_job": act(
        roles("school_admin province_officer system_admin"), roles("province_officer system_admin"), job_id="job"
    ),
    "front:audit": page(roles("audit_admin"), denied=403),
    "front:search": page(EVERYBODY),
    "front:suggest": page(EVERYBODY),
    "front:notices": page(EVERYBODY),
    "front:read_notices": act(EVERYBODY),
    "front:notice": page(roles("head"), granted=302, notice_id="notice"),
    "pages:saved_views": form(EVERYBODY),
    "pages:delete_saved_view": act(roles("head"), view_id="saved_view"),
    "pages:hints": page(EVERYBODY, granted=204),
    "pages:put_hints_away": act(EVERYBODY),
    "identity:sign_in": public("GET", granted=302),
    "identity:sign_out": act(EVERYBODY),
    "identity:switch_role": act(EVERYBODY),
    "identity:account": page(EVERYBODY),
    "identity:change_password": form(EVERYBODY),
    "identity:end_session": act(roles("head"), sign_in_id="sign_in"),
    "identity:end_other_sessions": act(EVERYBODY),
    "identity:credentials": page(MANAGERS, denied=403, granted=302),
    "identity:credentials_of_org": page(MANAGERS, ROOT, org_id="org"),
    "identity:issue_credentials": act(MANAGERS, ROOT, org_id="org", form="slips"),
    "directory:orgs": page(EVERYBODY),
    "directory:org": page(EVERYBODY - roles("parent"), ROOT | ADMINS, public_id="org"),
    "directory:org_people": page(EVERYBODY - roles("parent"), ROOT | ADMINS, public_id="org"),
    "directory:roster_file": page(MANAGERS | roles("head"), ROOT, public_id="org", form="workbook"),
    "directory:org_grants": page(GRANTERS, ROOT | roles("security_admin"), public_id="org"),
    "directory:add_grant": form(GRANTERS, ROOT | roles("security_admin"), public_id="org"),
    "directory:add_person": form(MANAGERS, ROOT, public_id="org"),
    "directory:add_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:correct_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:boundaries": form(MANAGERS, ROOT, public_id="org"),
    "directory:boundaries_file": page(MANAGERS, ROOT, public_id="org"),
    "directory:clear_boundaries": act(MANAGERS, ROOT, public_id="org"),
    "directory:move_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:merge_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:close_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:people": page(EVERYBODY),
    "directory:person": page(KNOWERS, ROOT, public_id="person"),
    "directory:seen_by": page(KNOWERS, ROOT, public_id="person"),
    "directory:correct_person": form(MANAGERS, ROOT, public_id="person"),
    "directory:reveal_person": act(MANAGERS | roles("head"), ROOT, public_id="person"),
    "directory:add_role": form(MANAGERS, ROOT, public_id="person"),
    "directory:end_role": form(MANAGERS, ROOT, public_id="person", role_id="affiliation"),
    "directory:transfer": form(MANAGERS, ROOT, public_id="person"),
    "directory:enrol": form(MANAGERS, ROOT, public_id="person"),
    "directory:leave_class": form(MANAGERS, ROOT, public_id="person", enrollment_id="enrollment"),
    "directory:link_guardian": form(MANAGERS, ROOT, public_id="person"),
    "directory:register_guardian": form(MANAGERS, ROOT, public_id="person"),
    "directory:end_guardian": form(MANAGERS, ROOT, public_id="person", guardian_id="guardian"),
    "directory:add_pupils": form(MANAGERS, ROOT, public_id="org"),
    "directory:duplicates": page(EVERYBODY),
    "directory:merge_duplicate": replace(act(MANAGERS, ROOT, public_id="duplicate"), body=("keep", "person")),
    "directory:dismiss_duplicate": act(MANAGERS, ROOT, public_id="duplicate"),
    "directory:grants": page(EVERYBODY),
    "directory:revoke_grant": act(MANAGERS | roles("head staff"), ROOT, public_id="grant"),
}
MEASURED: dict[str, Address] = {
    "assessment:assessments": page(EVERYBODY),
    "assessment:assessment": page(READERS, ROOT, public_id="assessment"),
    "assessment:participation": page(READERS, ROOT, public_id="assessment"),
    "assessment:codebook": page(READERS, ROOT, public_id="assessment"),
    "evaluation:runs": page(EVERYBODY),
    "evaluation:declare": form(roles("city_officer province_officer"), ROOT, 403, 404, assessment="assessment"),
    "evaluation:run": page(READERS, ROOT, run="run"),
    "evaluation:start": act(roles("city_officer province_officer"), ROOT, run="run"),
    "evaluation:report": page(READERS, ROOT, run="run", org="org"),
    "evaluation:report_file": page(READERS, ROOT, run="run", org="org", form="file"),
    "evaluation:pupil": page(FAMILY_AND_SCHOOL, run="run", person="person"),
    "evaluation:pupil_file": page(FAMILY_AND_SCHOOL, run="run", person="person", form="file"),
    "api-v1:openapi-json": call(EVERYBODY),
    "api-v1:me": call(EVERYBODY),
    "api-v1:list_orgs": call(EVERYBODY),
    "api-v1:read_org": call(EVERYBODY - roles("parent"), ROOT | ADMINS, org_id="org"),
    "api-v1:list_org_people": call(EVERYBODY - roles("parent"), ROOT | ADMINS, org_id="org"),
    "api-v1:list_people": call(EVERYBODY),
    "api-v1:read_person": call(KNOWERS, ROOT, person_id="person"),
    "api-v1:list_assessments": call(EVERYBODY),
    "api-v1:read_assessment": call(READERS, ROOT, assessment_id="assessment"),
    "api-v1:list_items": call(READERS, ROOT, assessment_id="assessment"),
    "api-v1:list_runs": call(EVERYBODY),
    "api-v1:show_run": call(READERS, ROOT, run="run"),
    "api-v1:show_report": call(READERS, ROOT, run="run", org="org"),
    "api-v1:show_pupil": call(FAMILY_AND_SCHOOL, run="run", person="person"),
    "api-v1:api-root": call(NOBODY),
}
ADDRESSES = PORTAL | MEASURED
# The two results of an empty form that is refused by name, not by right: the object was reached.
EXCEPTIONS = {("directory:revoke_grant", "security_admin"): 403}


def patterns(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            yield f"{namespace}{pattern.name}"


@dataclass(frozen=True)
class Places:
    """The near and the far object of every kind."""

    found: dict[str, tuple[str, str]]

    def url(self, name: str, address: Address, place: int) -> str:
        return reverse(name, kwargs={key: self.found[kind][place] for key, kind in address.objects.items()})

    def fields(self, address: Address, place: int) -> dict[str, str]:
        """What the form sends, where an empty one would not reach the object."""
        return {address.body[0]: self.found[address.body[1]][place]} if address.body else {}


def portal_places(cast: Cast) -> dict[str, tuple[str, str]]:
    def sign_in(key: str) -> str:
        cast.client(key)
        account_id = cast.actor(key).account_id
        return ids.encode("sign_in", apps.get_model("identity.SignIn").objects.get(account_id=account_id).pk)

    def notice(key: str) -> str:
        messaging.notify(person_ids=[cast.people[key].id], title="通知", now=cast.now)
        return messaging.notices_of(cast.people[key].id).rows[0].public_id

    def saved_view(key: str) -> str:
        view = apps.get_model("pages.SavedView").objects.create(
            account_id=cast.actor(key).account_id, path="/people/", list_name="people", name="视图", saved_at=cast.now
        )
        return ids.encode("saved_view", view.pk)

    def sent_file(key: str) -> str:
        file = io.BytesIO("一,二\n1,2\n".encode())
        sent = intake.start_import(actor=cast.actor(key), kind="roster", file_name="名册.csv", content=file, now=cast.now)
        return ids.encode("import", sent)

    def job(key: str) -> str:
        return ids.encode("job", work.enqueue("shuren.directory.jobs.recount", actor=cast.actor(key), title="统计"))

    def grant(key: str, org: str) -> str:
        person_id, org_id = cast.people[key].id, cast.orgs[org].id
        given = directory.grant_role(
            actor=SYSTEM, person_id=person_id, role=Role.STAFF, org_id=org_id, begin_at=cast.now, now=cast.now
        )
        return ids.encode("grant", given)

    def duplicate(one: str, other: str) -> str:
        pair = apps.get_model("directory.DuplicatePair").objects.create(
            first_id=cast.people[one].id, second_id=cast.people[other].id, evidence={}, score=0.9, found_at=cast.now
        )
        return ids.encode("pair", pair.pk)

    def tie(kind: str, key: str) -> str:
        return ids.encode(kind, apps.get_model(f"directory.{kind}").objects.get(person_id=cast.people[key].id).pk)

    found: dict[str, tuple[str, str]] = {
        "org": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id),
        "person": (cast.people["pupil"].public_id, cast.people["far_pupil"].public_id),
        "guardian": (cast.people["parent"].public_id, cast.people["far_parent"].public_id),
        "affiliation": (tie("affiliation", "pupil"), tie("affiliation", "far_pupil")),
        "enrollment": (tie("enrollment", "pupil"), tie("enrollment", "far_pupil")),
        "kind": ("roster", "results"),
        "slips": ("csv", "csv"),
        "file": ("json", "json"),
        "workbook": ("xlsx", "xlsx"),
        "sign_in": (sign_in("head"), sign_in("far_head")),
        "notice": (notice("head"), notice("far_head")),
        "saved_view": (saved_view("head"), saved_view("far_head")),
        "import": (sent_file("school_admin"), sent_file("far_head")),
        "grant": (grant("staff", "school"), grant("far_head", "far_school")),
        "duplicate": (duplicate("pupil", "classmate"), duplicate("far_pupil", "far_parent")),
    }
    work.run_pending()
    return found | {"job": (job("school_admin"), job("far_head"))}


def measured_places(cast: Cast) -> dict[str, tuple[str, str]]:
    near = measure(
        cast,
        "near",
        "city",
        {"class": ("school", "county"), "west_class": ("west_school", "other_county")},
        {"pupil": "class", "classmate": "class", "west_pupil": "west_class"},
    )
    far = measure(cast, "far-off", "other_city", {"far_class": ("far_school", "far_county")}, {"far_pupil": "far_class"})
    return {"assessment": (near.assessment, far.assessment), "run": (near.run, far.run)}


def answered(client: Client, method: str, url: str, fields: dict[str, str] | None = None) -> int:
    """The status of one request, everything it did undone."""
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


@pytest.mark.parametrize("area", ["portal", "measured"])
def test_everybody_gets_what_is_declared(cast: Cast, area: str, caplog: pytest.LogCaptureFixture) -> None:
    more: dict[str, Callable[[Cast], dict[str, tuple[str, str]]]] = {"portal": lambda _cast: {}, "measured": measured_places}
    places = Places(portal_places(cast) | more[area](cast))
    addresses = PORTAL if area == "portal" else MEASURED
    caplog.clear()
    found = surprises(cast, addresses, places) + strangers(addresses, places) + changed_by_reading(cast, addresses, places)
    assert "\n".join(found) == ""
