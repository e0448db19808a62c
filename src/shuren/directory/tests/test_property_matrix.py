"""Facts of a child × role: what is graded L3 or L4 shows whole only to who may see it, wherever a person is written out."""

from collections.abc import Callable

import pytest

from shuren.directory.models import Person
from shuren.directory.services.seal_national_id import index_of, sealed
from shuren.directory.tests.conftest import Region, Visitor
from shuren.kernel.errors import NotFound

NATIONAL_ID = "110101201605040011"
# What form G of a 学籍号 holds is a national id, whatever the column is called.
SENSITIVE = (NATIONAL_ID, "440103201605040022")
PERSONAL = ("13800000001", "2016-05-04", "xiaoming@example.cn")
SEE_WHOLE = {"pupil", "parent", "head", "admin", "county_officer", "city_officer"}
READERS = sorted(SEE_WHOLE | {"class_teacher", "teacher", "staff", "pupil2", "far_pupil"})


@pytest.mark.parametrize("key", READERS)
def test_no_fact_leaks(region: Region, visit: Callable[[str], Visitor], key: str) -> None:
    Person.objects.filter(pk=region.person["pupil"]).update(
        national_id_sealed=sealed(NATIONAL_ID),
        national_id_index=index_of(NATIONAL_ID),
        pupil_number=f"G{SENSITIVE[1]}",
        email=PERSONAL[2],
    )
    api = "/api/v1" + region.url("pupil").rstrip("/")
    pages = [
        region.url("pupil"),
        region.url("pupil", "seen-by/"),
        region.url("pupil", "correct/"),
        "/people/",
        "/people/?export=csv",
        api,
        "/api/v1/people",
    ]
    for page in pages:
        try:
            response = visit(key).get(*_parts(page))
        except NotFound:
            continue
        text = b"".join(response).decode() if response.streaming else response.content.decode()
        assert [fact for fact in SENSITIVE if fact in text] == [], page
        if key not in SEE_WHOLE:
            assert [fact for fact in PERSONAL if fact in text] == [], page


def _parts(page: str) -> tuple[str, dict[str, str]]:
    path, _sign, query = page.partition("?")
    return path, dict(part.split("=") for part in query.split("&") if part)
