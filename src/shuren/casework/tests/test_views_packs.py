"""The pages of packs: what runs here, one pack, what forms ask."""

from tests.cast import Cast

from shuren.casework.models import Definition, Pack
from shuren.casework.services.packs.install import install_pack
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import LEAVE_FORM
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM


def test_every_row_stands_with_what_fulfils_it(cast: Cast) -> None:
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    Pack.objects.filter(pk="core").update(overridden=["forms/objection.yaml"])
    page = cast.client("teacher").get("/packs/").content.decode()
    assert all(words in page for words in ("BAS-01", "directory"))
    owned = cast.client("teacher").get("/packs/?q=DAT-05").content.decode()
    assert all(words in owned for words in ("DAT-05", "数据异议", f"基本事项 {Pack.objects.get(pk='core').version}"))
    found = cast.client("teacher").get("/packs/?q=BAS-02").content.decode()
    assert "BAS-02" in found
    assert "DAT-05" not in found


def test_a_pack_shows_its_definitions_and_what_the_region_changed(cast: Cast) -> None:
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    Pack.objects.filter(pk="core").update(overridden=["forms/objection.yaml"])
    page = cast.client("teacher").get("/packs/core/").content.decode()
    assert "core.subject_request" in page
    assert "forms/objection.yaml" in page
    assert cast.client("teacher").get("/packs/nowhere/").status_code == 404


def test_the_list_of_rows_is_exported(cast: Cast) -> None:
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    answer = cast.client("county_officer").get("/packs/?export=csv")
    assert "DAT-05" in b"".join(answer).decode()


def test_what_forms_ask_is_for_those_who_look_into_cases(cast: Cast) -> None:
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    assert "数据异议" in cast.client("county_officer").get("/burden/").content.decode()
    assert cast.client("pupil").get("/burden/").status_code == 404


def test_the_forms_of_another_branch_are_listed_to_nobody(cast: Cast, define: Define) -> None:
    made = define("form", LEAVE_FORM)
    address = f"/burden/{ids.encode('definition', made.pk)}/"

    def readers(org: str) -> list[str]:
        Definition.objects.filter(pk=made.pk).update(org_id=cast.orgs[org].id, org_path=cast.orgs[org].path)
        asked = {who: cast.client(who) for who in ("head", "far_head", "county_officer", "province_officer")}
        listed = [who for who, client in asked.items() if str(made.title) in client.get("/burden/").content.decode()]
        assert [who for who, client in asked.items() if client.get(address).status_code == 200] == listed
        return listed

    assert readers("far_school") == ["far_head", "province_officer"]
    assert readers("school") == ["head", "county_officer", "province_officer"]
    assert readers("county") == ["head", "county_officer", "province_officer"]
