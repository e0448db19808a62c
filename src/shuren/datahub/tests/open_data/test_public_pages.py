"""What everybody finds under /open/: pages, files with their digests, JSON by pages, the catalogue; and what is gone."""

import hashlib
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.cache import cache
from django.test import Client
from pyshacl import validate
from rdflib import DCAT, DCTERMS, Graph, URIRef
from tests.cast import Cast

from shuren.datahub.models import OpenVersion
from shuren.datahub.services.open_data.withdraw import withdraw_open_dataset
from shuren.datahub.tests.open_data.conftest import SCHOOLS, SECRET, T, records
from shuren.datahub.tests.open_data.test_opening import BY_COUNTY, drafted, opened
from shuren.datahub.views.open_data import public

SHAPES = Path(__file__).with_name("dcat_ap.ttl").read_text()
SAFE = records(("code", T.EXACT), ("name", T.EXACT), ("pupils", T.EXACT), dataset=SCHOOLS.name)


@pytest.fixture
def version(pupils: Cast) -> OpenVersion:
    cache.clear()
    return opened(pupils, BY_COUNTY)


def test_a_stranger_finds_reads_and_takes_it(version: OpenVersion, pupils: Cast) -> None:
    stranger, number = Client(), version.dataset.number
    listed = stranger.get("/open/", {"q": "学生"}).content.decode()
    assert f"/open/{number}/" in listed
    assert f"/open/{number}/" not in stranger.get("/open/", {"q": "没有的词"}).content.decode()
    shown = stranger.get(f"/open/{number}/").content.decode()
    assert version.sha256 in shown
    assert "第一版" in shown
    assert "24" in shown
    told = stranger.get(f"/open/{number}/v1.csv")
    assert hashlib.sha256(told.content).hexdigest() == version.csv_sha256 == told["X-Content-SHA256"]
    assert len(told.content) == version.csv_bytes
    file = stranger.get(f"/open/{number}/v1.parquet").getvalue()
    assert hashlib.sha256(file).hexdigest() == version.sha256
    assert pq.read_table(io.BytesIO(file)).num_rows == 7
    assert SECRET not in listed + shown + told.content.decode()
    assert stranger.get(f"/open/{number}/v2.csv").status_code == 404
    assert stranger.get("/open/OD-2026-9999/").status_code == 404
    # What nobody approved is nowhere.
    waiting = drafted(pupils, SAFE)
    assert waiting.dataset.number is None
    assert stranger.get("/open/datasets.json").json()["total"] == 1


def test_rows_come_by_pages(version: OpenVersion, pupils: Cast) -> None:
    url = f"/open/{version.dataset.number}/rows.json"
    first = Client().get(url, {"size": "5"}).json()
    rest = Client().get(url, {"size": "5", "page": "2"}).json()
    assert (first["total"], len(first["rows"]), len(rest["rows"]), rest["page"]) == (7, 5, 2, 2)
    assert first["rows"][0] == {
        "county": None,
        "sex": None,
        "group_level": 0,
        "count": 72,
        "score_mean": 71.5,
        "is_suppressed": False,
    }
    assert Client().get(url, {"page": "9999999999", "size": "x"}).json()["page"] == 1
    assert Client().get(url, {"version": "7"}).status_code == 404
    named = opened(pupils, SAFE)
    listed = Client().get("/open/datasets.json", {"size": "1"}).json()
    assert (listed["total"], len(listed["rows"]), listed["rows"][0]["number"]) == (2, 1, named.dataset.number)
    # A name that a spreadsheet would run is kept as it is in JSON, and guarded in CSV.
    assert Client().get(f"/open/{named.dataset.number}/rows.json").json()["rows"][1]["name"] == "=乙"
    assert "'=乙" in Client().get(f"/open/{named.dataset.number}/v1.csv").content.decode()


def test_withdrawn_is_gone_and_the_address_says_so(version: OpenVersion, pupils: Cast) -> None:
    number = version.dataset.number
    withdraw_open_dataset(actor=pupils.actor("province_officer"), id=version.pk, reason="汇总有误", now=pupils.now)
    stranger = Client()
    page = stranger.get(f"/open/{number}/")
    assert page.status_code == 410
    assert "汇总有误" in page.content.decode()
    for file in ("v1.csv", "v1.parquet", "rows.json"):
        answer = stranger.get(f"/open/{number}/{file}")
        assert (answer.status_code, answer.json()["reason"]) == (410, "汇总有误")
    assert stranger.get("/open/datasets.json").json()["total"] == 0
    assert str(number) not in stranger.get("/open/catalogue.ttl").content.decode()


def test_the_catalogue_keeps_to_dcat_ap_in_every_form(version: OpenVersion, pupils: Cast, settings: object) -> None:
    settings.SHUREN_PUBLIC_URL = "https://edu.example"  # type: ignore[attr-defined]
    opened(pupils, SAFE)
    graphs = []
    for form, name in (("jsonld", "json-ld"), ("ttl", "turtle"), ("rdf", "xml")):
        answer = Client().get(f"/open/catalogue.{form}")
        assert answer.status_code == 200
        graphs.append(Graph().parse(data=answer.content, format=name))
    assert len({len(graph) for graph in graphs}) == 1
    conforms, _found, text = validate(graphs[0], shacl_graph=Graph().parse(data=SHAPES, format="turtle"))
    assert conforms, text
    node = URIRef(f"https://edu.example/open/{version.dataset.number}/")
    assert str(graphs[0].value(node, DCTERMS.identifier)) == version.dataset.number
    assert len(list(graphs[0].objects(node, DCAT.distribution))) == 2
    # The shapes can fail: a dataset without a title does.
    graphs[0].remove((node, DCTERMS.title, None))
    assert not validate(graphs[0], shacl_graph=Graph().parse(data=SHAPES, format="turtle"))[0]
    assert Client().get("/open/catalogue.exe").status_code == 404


def test_one_address_does_not_take_everything_at_once(version: OpenVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "PER_MINUTE", 3)
    answers = [Client().get("/open/datasets.json").status_code for _ in range(8)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_the_desk_shows_the_check_and_takes_the_steps(pupils: Cast) -> None:
    cache.clear()
    officer, second = pupils.client("city_officer"), pupils.client("province_officer")
    url = "/data/open/new/probe.open_pupils/"
    assert url in officer.get("/data/open/new/").content.decode()
    page = officer.get(url).content.decode()
    for name, is_offered in (
        ("sex", True),
        ("birth_date", True),
        ("name", False),
        ("number", False),
        ("national_id_index", False),
    ):
        assert (f'name="column_{name}"' in page) is is_offered
    words = {"title_zh": "各校学生", "description": "测试", "licence": "CC0-1.0", "org": pupils.orgs["city"].public_id}
    fine = words | {"shape": "groups", "column_org_path": "school", "column_sex": "exact", "column_level": "exact"}
    there = officer.post(url, fine)["Location"]
    shown = officer.get(there).content.decode()
    assert 'data-check="failed"' in shown
    assert "不公开“level”，就没有太小的组了。" in shown
    officer.post(f"{there}ask/")
    assert OpenVersion.objects.get().state == "draft"
    assert officer.post(f"{there}change/", {**fine, "column_level": "", "has_totals": "on"}).status_code == 302
    assert 'data-check="passed"' in officer.get(there).content.decode()
    officer.post(f"{there}ask/")
    officer.post(f"{there}approve/")
    assert OpenVersion.objects.get().state == "waiting"
    assert "批准并开放" not in officer.get(there).content.decode()
    assert "批准并开放" in second.get(there).content.decode()
    second.post(f"{there}approve/")
    number = OpenVersion.objects.get().dataset.number
    assert json.loads(Client().get("/open/datasets.json").content)["rows"][0]["number"] == number
    second.post(f"{there}withdraw/", {"reason": "重做"})
    assert Client().get(f"/open/{number}/").status_code == 410
    assert "各校学生" in officer.get("/data/open/", {"state": "withdrawn"}).content.decode()
    wrong = officer.post(url, fine | {"where": "没有=1"}).content.decode()
    assert "不是“列名=值”的写法" in wrong
    for stranger in ("head", "teacher", "system_admin"):
        client = pupils.client(stranger)
        assert {client.get(path).status_code for path in ("/data/open/", "/data/open/new/", url, there)} == {404}
