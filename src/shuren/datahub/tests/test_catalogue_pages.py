"""The pages of the catalogue: found, read, opened step by step; shut to those who ask nobody for data."""

from itertools import pairwise

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.datahub.api import declare_owner_names, flows_from_source, lineage_url, record_run, same_columns
from shuren.datahub.data import Asset, AssetColumn, AssetKind, AssetRef
from shuren.datahub.models import CatalogueAsset
from shuren.datahub.services.fold_runs import fold_runs
from shuren.datahub.services.register_assets import register_assets
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry

FORM, DATASET = AssetRef(AssetKind.FORM, "probe"), AssetRef(AssetKind.DATASET, "probe.marks")
REPORT, FILE = AssetRef(AssetKind.REPORT, "probe.report"), AssetRef(AssetKind.FILE, "results")


@pytest.fixture
def filled(cast: Cast) -> Cast:
    """file → form → dataset → report, column by column."""
    columns = (AssetColumn("pupils", "integer", "学生数", "Pupils", grade="L2"),)
    titles = {FILE: "测验成绩文件", FORM: "学校报表", DATASET: "报表数据", REPORT: "区县报告"}
    told = [Asset(kind=ref.kind, name=ref.name, title_zh=title, columns=columns) for ref, title in titles.items()]
    register_assets(told, source="probe", now=cast.now)
    way = [FILE, FORM, DATASET, REPORT]
    for number, (source, target) in enumerate(pairwise(way)):
        flows = same_columns(source, target, ["pupils"])
        facts = {"import": ids.encode("import", 7)} if number == 0 else {}
        record_run(job="assessment.results_import", inputs=[source], outputs=[target], flows=flows, facts=facts, now=cast.now)
    fold_runs(now=cast.now)
    return cast


def url_of(ref: AssetRef, page: str = "") -> str:
    return f"/data/catalogue/{ids.encode('asset', CatalogueAsset.objects.get(key=ref.key).pk)}/{page}"


def shown(client: Client, path: str, **query: str | list[str]) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, path
    return response.content.decode()


def token(ref: AssetRef, column: str = "", page: int = 1) -> str:
    return f"up:{ids.encode('asset', CatalogueAsset.objects.get(key=ref.key).pk)}:{page}:{column}"


def test_an_asset_is_found_by_its_words_its_columns_and_what_it_is(filled: Cast) -> None:
    client = filled.client("county_officer")
    for query in ({"q": "学校报表"}, {"q": "pupils"}, {"kind": "form"}, {"q": "报表 probe"}):
        assert url_of(FORM) in shown(client, "/data/catalogue/", **query)
    assert url_of(FORM) not in shown(client, "/data/catalogue/", kind="dataset")
    assert url_of(FORM) not in shown(client, "/data/catalogue/", q="没有的词")
    assert url_of(FORM) not in shown(client, "/data/catalogue/", state="retired")


def test_titles_are_found_as_they_are_written_in_english_and_by_their_pinyin(filled: Cast) -> None:
    client = filled.client("county_officer")
    for text in ("学生数", "Pupils", "xueshengshu", "xuexiaobaobiao"):
        assert url_of(FORM) in shown(client, "/data/catalogue/", q=text)
    for text in ("学生数", "pupils", "xuesheng"):
        assert "column=pupils" in shown(client, url_of(FORM), q=text)
    assert "column=pupils" not in shown(client, url_of(FORM), q="jiaoshi")


def test_what_people_look_for_comes_before_what_programs_use(filled: Cast) -> None:
    program = Asset(kind=AssetKind.API, name="probe_api", title_zh="A 报表", owner="probe:one")
    register_assets([program], source="probe.api", now=filled.now)
    declare_owner_names("probe", lambda: {"one": "试点功能包"})
    page = shown(filled.client("county_officer"), "/data/catalogue/", q="报表")
    places = [page.index(url_of(ref)) for ref in (DATASET, FORM, AssetRef(AssetKind.API, "probe_api"))]
    assert places == sorted(places)
    assert "试点功能包" in page


@pytest.mark.parametrize(
    ("source", "origin"),
    [
        ("register:infra.link.bandwidth", ("register:infra.link", "bandwidth")),
        ("directory:org.code", ("table:directory_org", "code")),
        ("lake:core.pupils", ("indicator:core.pupils", "value")),
    ],
)
def test_the_source_of_an_element_is_an_asset_of_the_catalogue(source: str, origin: tuple[str, str]) -> None:
    (flow,) = flows_from_source(source, FORM, "field")
    assert ((flow.source.key, flow.source_column), flow.target) == (origin, FORM)


def test_what_names_no_place_has_no_source() -> None:
    assert (flows_from_source("register:infra", FORM, "field"), flows_from_source("", FORM, "field")) == ((), ())


def test_a_figure_of_a_report_leads_back_to_the_import_that_brought_it(filled: Cast) -> None:
    client = filled.client("county_officer")
    first = shown(client, url_of(REPORT, "lineage/"), column="pupils")
    assert "报表数据" in first
    assert "学校报表" not in first, "one step first"
    opened = [token(DATASET, "pupils"), token(FORM, "pupils")]
    whole = shown(client, url_of(REPORT, "lineage/"), column="pupils", open=opened)
    assert "学校报表" in whole
    assert "测验成绩文件" in whole
    assert f"/imports/{ids.encode('import', 7)}/" in shown(client, url_of(FILE, "runs/"))


@pytest.mark.parametrize("asked", ["up:x:1:", "up", "down:0000000000000:99999999:", "::::", "up:\x00:1:a"])
def test_what_an_address_says_wrongly_is_shut(filled: Cast, asked: str) -> None:
    shown(filled.client("county_officer"), url_of(REPORT, "lineage/"), open=asked, column="a\x00b")


def test_those_who_ask_nobody_for_data_find_no_catalogue(filled: Cast) -> None:
    for key in ("pupil", "parent", "class_teacher", "audit_admin"):
        for path in ("/data/catalogue/", "/data/catalogue/lineage.ndjson", url_of(FORM), url_of(FORM, "lineage/")):
            assert filled.client(key).get(path).status_code == 404
        assert lineage_url(FORM, actor=filled.actor(key), now=filled.now) == ""
    found = lineage_url(REPORT, actor=filled.actor("county_officer"), now=filled.now, column="pupils")
    assert filled.client("county_officer").get(found).url == f"{url_of(REPORT, 'lineage/')}?column=pupils"
    assert filled.client("county_officer").get(f"{found}&page=asset").url == url_of(REPORT)


def test_the_export_of_events_is_a_line_each_and_audited(filled: Cast) -> None:
    response = filled.client("county_officer").get("/data/catalogue/lineage.ndjson")
    assert len(b"".join(response.streaming_content).splitlines()) == 3
    assert AuditEntry.objects.filter(action="datahub.lineage_exported").count() == 1


def test_programs_read_the_same(filled: Cast) -> None:
    client = filled.client("county_officer")
    rows = client.get("/api/v1/catalogue/assets", {"search": "报表数据"}).json()["rows"]
    assert [(row["kind"], row["name"]) for row in rows] == [("dataset", "probe.marks")]
    at = f"/api/v1/catalogue/assets/{rows[0]['id']}"
    assert client.get(f"{at}/columns").json()["rows"][0]["name"] == "pupils"
    steps = client.get(f"{at}/lineage", {"column": "pupils"}).json()["rows"]
    assert [(step["asset"]["name"], step["column"], step["runs"]) for step in steps] == [("probe", "pupils", 1)]
    assert client.post("/api/v1/lineage", {}, content_type="application/json").status_code in (401, 403)
