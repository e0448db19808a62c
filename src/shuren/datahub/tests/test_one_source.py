"""Columns of other sources, the pages of who produces what, and the daily notice to owners."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from tests.cast import Cast

from shuren.datahub import api
from shuren.datahub.data import NewCandidate, SourceRank, SubjectKind, TieRule
from shuren.datahub.models import Candidate, Golden
from shuren.datahub.services.converge.tell_owners import tell_refusals
from shuren.directory import api as directory
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.messaging import api as messaging
from shuren.standards import api as standards
from shuren.standards.data import Door

NOW = datetime.now(UTC).replace(microsecond=0)


def table(**metadata: str) -> pa.Table:
    schema = pa.schema([pa.field("pupils", pa.int64(), metadata=metadata)])
    return pa.table({"pupils": [1, 2]}, schema=schema)


@pytest.fixture
def words(cast: Cast) -> Cast:
    standards.load_registry()
    return cast


class TestDatasets:
    def test_a_column_of_another_source_is_refused(self, words: Cast) -> None:
        with pytest.raises(directory.CompetingWrite) as told:
            api.write_partition("probe.marks", {"run": 1}, table(element="org.pupil_count"), actor=SYSTEM, now=NOW)
        assert "学籍管理部门" in told.value.message
        assert api.snapshot_of("probe.marks", {"run": 1}) is None
        standards.keep_refusals(now=NOW)
        assert [row.door for row in standards.refusals_of()[0]] == [Door.DATASET]

    def test_a_copy_says_what_it_is_a_copy_of(self, words: Cast) -> None:
        source = standards.element("org.pupil_count").source
        told = table(element="org.pupil_count", copy_of=source)
        assert api.write_partition("probe.marks", {"run": 1}, told, actor=SYSTEM, now=NOW).rows == 2
        wrong = table(element="org.pupil_count", copy_of="lake:somewhere.else")
        with pytest.raises(directory.CompetingWrite):
            api.write_partition("probe.marks", {"run": 2}, wrong, actor=SYSTEM, now=NOW)
        standards.keep_refusals(now=NOW)


class TestPages:
    @pytest.fixture
    def county(self, words: Cast) -> Cast:
        cast = words
        standards.set_owner(actor=SYSTEM, element_code="person.phone", org_id=cast.orgs["county"].id, now=NOW)
        return cast

    def test_an_owner_names_doors_and_sees_who_was_refused(self, county: Cast) -> None:
        cast, client = county, county.client("county_officer")
        said = {"doors": ["scim"], "orgs": [cast.orgs["county"].public_id], "note": "区数据局文件"}
        assert client.post("/data/sources/person.phone/producer/", said).status_code == 302
        assert standards.producers_of(["person.phone"])["person.phone"].doors == {Door.SCIM}
        pupil = cast.people["pupil"]
        with pytest.raises(directory.CompetingWrite):
            directory.correct_person(
                actor=cast.actor("school_admin"), person_id=pupil.id, changes={"phone": "13800000000"}, now=NOW
            )
        standards.keep_refusals(now=NOW)
        listed = client.get("/data/sources/", {"mine": "1"}).content.decode()
        assert "person.phone" in listed
        assert "org.name" not in listed
        assert "账号同步" in listed
        shown = client.get("/data/sources/person.phone/refusals/").content.decode()
        assert cast.orgs["school"].name in shown
        assert "名录页面" in shown
        assert AuditEntry.objects.filter(action="standards.producer_set").exists()

    def test_owners_are_told_once_a_day(self, county: Cast) -> None:
        cast = county
        standards.set_producer(
            actor=SYSTEM, element_code="person.phone", doors=[Door.SCIM], org_ids=[], now=NOW - timedelta(days=1)
        )
        for day in (2, 1):
            standards.note_refusal(
                element_code="person.phone", door=Door.ROSTER, org_id=cast.orgs["school"].id, actor=cast.actor("school_admin")
            )
            standards.keep_refusals(now=NOW - timedelta(days=day))
        assert tell_refusals(now=NOW) == 1
        assert tell_refusals(now=NOW) == 0
        (notice,) = messaging.notices_of(cast.people["county_officer"].id).rows
        assert "2" in notice.body
        assert notice.url == "/data/sources/?mine=1"

    def test_differing_values_are_decided_on_their_page(self, county: Cast) -> None:
        cast, pupil = county, county.people["pupil"].id
        ranks = [SourceRank("parent"), SourceRank("roster")]
        api.set_precedence(actor=SYSTEM, element_code="person.phone", sources=ranks, tie=TieRule.FIRST, now=NOW)
        for source, value in (("parent", "13900000000"), ("roster", "13800000000")):
            told = [NewCandidate(pupil, value, NOW, f"{source}:7")]
            api.put_candidates(
                actor=SYSTEM, element_code="person.phone", kind=SubjectKind.PERSON, source=source, told=told, now=NOW
            )
        api.converge_subjects(element_code="person.phone", kind=SubjectKind.PERSON, subject_ids=[pupil], now=NOW)
        client = cast.client("county_officer")
        listed = client.get("/data/sources/person.phone/values/", {"verdict": "open"}).content.decode()
        assert "张三" in listed
        assert "13900000000" not in listed
        url = f"/data/values/{ids.encode('golden', Golden.objects.get().pk)}/"
        page = client.get(url).content.decode()
        assert "13900000000" in page
        assert "来源排在后面" in page
        assert AuditEntry.objects.filter(action="datahub.candidates_seen").exists()
        picked = Candidate.objects.get(source="roster").pk
        assert client.post(url, {"candidate": picked, "reason": ""}).status_code == 400
        assert client.post(url, {"candidate": picked, "reason": "电话核实"}).status_code == 302
        assert Golden.objects.get().verdict == "overruled"
        assert client.post("/data/sources/person.phone/values/accept/", {"source": "parent"}).status_code == 302

    def test_a_precedence_is_written_a_line_a_source(self, county: Cast) -> None:
        client = county.client("county_officer")
        url = "/data/sources/person.phone/precedence/"
        assert client.post(url, {"sources": "parent 365\n\nroster\n", "tie": "agreed"}).status_code == 302
        assert api.precedence_of("person.phone").sources == (SourceRank("parent", 365), SourceRank("roster"))
        wrong = client.post(url, {"sources": "parent soon", "tie": "agreed"})
        assert wrong.status_code == 200
        assert "来源 天数" in wrong.content.decode()
