"""No page, export or answer of the API gives away facts graded L3 or L4 to a role that may not see them.

Every address of the access table that only reads is opened, and asked for its export, with the school of a pupil whose
facts are known; so a new page or export is looked at as soon as it is declared. The document of the API is walked for
properties that carry such a fact by name.
"""

import io
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.models import Person
from shuren.directory.rules.permissions import ROLE_PERMISSIONS
from shuren.directory.services.index_directory import index_people
from shuren.directory.services.seal_national_id import index_of, sealed
from shuren.front.rest.root import api
from shuren.kernel.clock import day_of
from shuren.standards.api import elements, load_registry
from shuren.standards.data import Grade
from tests.cast import Cast
from tests.house.access.frame import Places
from tests.house.test_access import AREAS

NATIONAL_ID = "110101201605040011"
SENSITIVE = (NATIONAL_ID, "440103201605040022")
PERSONAL = ("13811112222", "zhangsan.parent@example.cn", "2016-05-04")
# Roles that may not see more than L2 of the pupil, whether they meet them on their pages or not; two stand for those who see L3.
BLIND = ("class_teacher", "teacher", "staff", "expert", "vendor", "system_admin", "security_admin", "audit_admin", "classmate")
SEEING = ("school_admin", "parent")
# A roster takes pupil numbers along, whatever they state, or it could not be imported again; the audit says that it did.
AUDITED = {"directory:roster_file"}
# Masked by the value's own reader, or one's own: what else sends such a property must be added here with its reason.
SENT = {
    "PersonDetailOut.private": "told by the reader's standing, directory/tests/test_told.py",
}
BYSTANDERS = frozenset({"person.name", "person.sex"})


def known(cast: Cast) -> None:
    Person.objects.filter(pk=cast.people["pupil"].id).update(
        pupil_number=f"G{SENSITIVE[1]}",
        phone=PERSONAL[0],
        email=PERSONAL[1],
        national_id_sealed=sealed(NATIONAL_ID),
        national_id_index=index_of(NATIONAL_ID),
    )


def read(client: Client, url: str) -> str:
    """What an answer says; of workbooks and packages what lies in them."""
    return _said_in(client.get(url))


def read_with_exports(client: Client, url: str) -> str:
    """What a page and its exports say. Who answers a wish for CSV with a page knows no exports, and that is the page."""
    table = client.get(f"{url}?export=csv")
    if table.status_code == 200 and table.headers.get("Content-Type", "").startswith("text/html"):
        return _said_in(table)
    is_exporting = not table.headers.get("Content-Type", "").startswith("text/html")
    return read(client, url) + _said_in(table) + (read(client, f"{url}?export=xlsx") if is_exporting else "")


def _said_in(response: Any) -> str:
    if response.status_code != 200:
        return ""
    body = b"".join(response) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            body = b"\n".join(package.read(name) for name in package.namelist())
    return body.decode(errors="ignore")


@pytest.mark.usefixtures("bare_refusals")
@pytest.mark.parametrize("name", list(AREAS))
def test_no_address_gives_away_what_is_graded(cast: Cast, name: str) -> None:
    area = AREAS[name]
    places = Places(area.places(cast))
    known(cast)
    found = []
    for role, secret in [(role, SENSITIVE + PERSONAL) for role in BLIND] + [(role, SENSITIVE) for role in SEEING]:
        client = cast.client(role)
        for at, address in area.addresses.items():
            if address.methods != ("GET",) or "sign_out" in at or at in AUDITED:
                continue
            url = places.url(at, address, 0)
            text = read_with_exports(client, url)
            found += [f"{at} to {role}: {fact}" for fact in secret if fact in text]
    assert found == []


def test_no_search_finds_a_child_by_the_beginning_of_what_is_graded(cast: Cast) -> None:
    """Digit by digit a beginning would give the whole away; former numbers lie in the index too."""
    known(cast)
    pupil = cast.people["pupil"]
    number = {"pupil_number": "L440100201605040"}
    directory.correct_person(actor=cast.actor("school_admin"), person_id=pupil.id, changes=number, now=cast.now)
    index_people([pupil.id], day=day_of(cast.now))
    client = cast.client("class_teacher")
    assert pupil.public_id in read(client, "/search/?kind=person&q=张三")
    for fact in (*SENSITIVE, PERSONAL[0], PERSONAL[2], f"G{SENSITIVE[1]}", "L440100201605040"):
        for asked in (fact, fact[:-2], fact[:6]):
            for url in ("/search/?kind=person&q=", "/search/suggest/?q=", "/people/?q=", "/api/v1/people?search="):
                is_whole_number = asked == fact and fact[0] in "GL" and "people" in url
                assert is_whole_number or pupil.public_id not in read(client, f"{url}{quote(asked)}"), (url, asked)


def test_the_blind_are_blind() -> None:
    held = {role.value: permissions for role, permissions in ROLE_PERMISSIONS.items()}
    assert [role for role in BLIND if role in held and "view_sensitive" in held[role]] == []


def test_no_property_of_the_api_carries_a_graded_fact_by_name(db: None) -> None:
    load_registry()
    graded = {
        element.code.removeprefix("person.")
        for element in elements()
        if element.code.startswith("person.")
        and element.grade in (Grade.PERSONAL, Grade.SENSITIVE)
        and element.code not in BYSTANDERS
    }
    assert {"national_id", "pupil_number", "phone", "birth_date"} <= graded
    schemas = api.get_openapi_schema()["components"]["schemas"]
    sent = {
        f"{schema}.{key}"
        for schema, facts in schemas.items()
        for key in facts.get("properties", {})
        if key in graded or key == "private"
    }
    assert sent == set(SENT)


def test_whoever_may_see_does(cast: Cast) -> None:
    known(cast)
    page = read(cast.client("school_admin"), f"/people/{cast.people['pupil'].public_id}/")
    assert PERSONAL[0] in page
    assert "G****" in page
