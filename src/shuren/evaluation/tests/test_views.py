"""Pages and files: one document in every form, nothing outside the branch, every download written down."""

import io
import json
from datetime import date
from hashlib import sha256

import openpyxl
import pypdf
import pytest
from django.urls import reverse

from shuren.evaluation.api import report_of, scores_of
from shuren.evaluation.data import RunStatus
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.tests.conftest import NOW, SOURCE, Region, add_assessment, finished_run
from shuren.kernel import audit, ids
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import Business
from shuren.work.api import run_pending

pytestmark = pytest.mark.urls("shuren.evaluation.tests.urls")


def report_url(region: Region, run_id: int, org: str) -> str:
    return reverse("evaluation:report", args=[ids.encode("run", run_id), region.public(org)])


def file_url(region: Region, run_id: int, org: str, form: str) -> str:
    return report_url(region, run_id, org).rstrip("/") + f".{form}"


def pupil_url(region: Region, run_id: int, key: str) -> str:
    return reverse("evaluation:pupil", args=[ids.encode("run", run_id), ids.encode("person", region.people[key])])


def read(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_report_page_shows_finding_pictures_table_and_method(region: Region, run_id: int) -> None:
    client = region.client("city_officer")
    page = client.get(report_url(region, run_id, "city")).content.decode()
    assert "全市平均 500 分" in page
    for part in ("主要发现", "数字是怎样算出来的", SOURCE, "模拟数据", "看数据表", "全部题目"):
        assert part in page, part
    assert page.count("data-chart-picture") >= 5
    assert report_url(region, run_id, "east") in page
    assert report_url(region, run_id, "west") in page


@pytest.mark.parametrize("org", ["east", "west1", "west1c1", "north3"])
def test_every_level_has_its_page(region: Region, run_id: int, org: str) -> None:
    answer = region.client("city_officer").get(report_url(region, run_id, org))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert ("不单独公布" in page) == (org == "north3")


def test_the_page_reads_in_english(region: Region, run_id: int) -> None:
    page = region.client("city_officer", language="en").get(report_url(region, run_id, "east")).content.decode()
    assert "Main findings" in page
    assert "How the numbers were made" in page
    assert "主要发现" not in page


@pytest.mark.parametrize("key", ["head", "class_teacher", "parent", "pupil", "teacher"])
@pytest.mark.parametrize("form", ["", "pdf", "xlsx", "json"])
def test_outside_the_branch_there_is_nothing(region: Region, run_id: int, key: str, form: str) -> None:
    address = file_url(region, run_id, "west1", form) if form else report_url(region, run_id, "west1")
    assert region.client(key).get(address).status_code == 404
    assert not audit.entries(action="evaluation.report_downloaded").exists()


@pytest.mark.parametrize("address", ["0000000000000/", "aaaaaaaaaaaaa/bbbbbbbbbbbbb/", "aaaaaaaaaaaaa/pupils/bbbbbbbbbbbbb/"])
def test_made_up_ids_are_not_found(region: Region, address: str) -> None:
    assert region.client("city_officer").get(f"/reports/{address}").status_code == 404


def test_pdf_excel_and_json_carry_the_same_numbers(region: Region, run_id: int) -> None:
    client = region.client("city_officer")
    document = dict(report_of(actor=SYSTEM, run_id=run_id, org_id=region.orgs["east"], now=NOW).body)
    sent = json.loads(read(client.get(file_url(region, run_id, "east", "json"))))
    assert sent == json.loads(json.dumps(document))
    book = openpyxl.load_workbook(io.BytesIO(read(client.get(file_url(region, run_id, "east", "xlsx")))))
    overall = {row[0]: row[1:] for row in book["总体"].iter_rows(min_row=2, values_only=True)}
    mean = document["mean"]
    assert overall["平均分"] == pytest.approx((mean["value"], mean["se"], mean["low"], mean["high"]))
    assert overall["人数"][0] == document["n"]
    items = list(book["题目"].iter_rows(min_row=2, values_only=True))
    assert [row[5] for row in items] == [
        "*" if row.get("is_suppressed") else pytest.approx(row["rate"]["value"]) for row in document["items"]
    ]
    text = pdf_text(read(client.get(file_url(region, run_id, "east", "pdf"))))
    assert f"{mean['value']:.1f}" in text
    assert "主要发现" in text
    assert SOURCE.replace(",", "") in text.replace(",", "")
    forms = [entry.details["form"] for entry in audit.entries(action="evaluation.report_downloaded")]
    assert sorted(forms) == ["json", "pdf", "xlsx"]


def pdf_text(data: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages).replace("\n", "").replace(" ", "")


def test_a_withheld_unit_leaks_nothing_in_any_form(region: Region, run_id: int) -> None:
    client = region.client("city_officer")
    sent = json.loads(read(client.get(file_url(region, run_id, "north3", "json"))))
    assert sent["is_withheld"] is True
    assert not {"n", "mean", "levels", "items", "domains"} & set(sent)
    book = openpyxl.load_workbook(io.BytesIO(read(client.get(file_url(region, run_id, "north3", "xlsx")))))
    assert book.sheetnames == ["说明"]
    assert "不单独公布" in pdf_text(read(client.get(file_url(region, run_id, "north3", "pdf"))))


def test_a_parent_reads_the_childs_report_and_takes_it_home(region: Region, run_id: int) -> None:
    client = region.client("parent")
    address = pupil_url(region, run_id, "pupil")
    page = client.get(address).content.decode()
    for part in ("学生000的学习报告", "做得好的地方", "下一步", "再看一看这些题", "这份报告不排名次", "模拟数据"):
        assert part in page, part
    text = pdf_text(read(client.get(address.rstrip("/") + ".pdf")))
    assert "学生000的学习报告" in text
    assert json.loads(read(client.get(address.rstrip("/") + ".json")))["schema"] == "shuren.pupil/1"
    book = openpyxl.load_workbook(io.BytesIO(read(client.get(address.rstrip("/") + ".xlsx"))))
    assert book.sheetnames == ["成绩", "各部分", "错题"]
    assert client.get(pupil_url(region, run_id, "far_pupil")).status_code == 404
    assert audit.entries(action="evaluation.report_downloaded", target=f"person:{region.people['pupil']}").count() == 3


def test_the_class_page_lists_pupils_by_name_for_the_class_teacher(region: Region, run_id: int) -> None:
    page = region.client("class_teacher").get(report_url(region, run_id, "east1c1")).content.decode()
    assert page.index("学生000") < page.index("学生001")
    assert pupil_url(region, run_id, "pupil") in page
    assert page.count('class="s0 interval"') >= page.count("/pupils/") >= 10
    assert "学生000" not in region.client("city_officer").get(report_url(region, run_id, "east1c1")).content.decode()


def test_the_list_shows_runs_to_officers_and_children_to_parents(region: Region, run_id: int) -> None:
    assert "四年级数学监测2026" in region.client("head").get("/reports/").content.decode()
    page = region.client("parent").get("/reports/").content.decode()
    assert pupil_url(region, run_id, "pupil") in page
    assert "还没有可以看的报告" in region.client("teacher").get("/reports/").content.decode()


def test_the_run_page_shows_declaration_and_certificate(region: Region, run_id: int) -> None:
    address = reverse("evaluation:run", args=[ids.encode("run", run_id)])
    page = region.client("city_officer").get(address).content.decode()
    assert "计算证明" in page
    assert EvaluationRun.objects.get(pk=run_id).declaration_hash[:16] in page
    assert report_url(region, run_id, "city") in page
    assert report_url(region, run_id, "city") not in region.client("head").get(address).content.decode()
    assert region.client("parent").get(address).status_code == 404


def test_an_officer_declares_starts_and_watches_a_run(region: Region) -> None:
    client = region.client("city_officer")
    address = reverse("evaluation:declare", args=[ids.encode("assessment", region.assessments["math-2026"])])
    page = client.get(address).content.decode()
    assert "声明并开始分析" in page
    fields = {"title": "四年级数学", "programme": "数学", "cuts": "400,475,550,625", "minimum_group": 10, "seed": 1}
    assert client.post(address, fields | {"cuts": "500,400"}).status_code == 400
    assert not EvaluationRun.objects.exists()
    answer = client.post(address, fields | {"contrasts": ["female"]})
    assert answer.status_code == 302
    run = EvaluationRun.objects.get()
    assert run.status == RunStatus.RUNNING
    assert run.declaration["contrasts"] == ["female"]
    part = client.get(answer.url, headers={"HX-Request": "true"})
    assert "progress" in part.content.decode()
    assert "HX-Refresh" not in part.headers
    run_pending()
    assert client.get(answer.url, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert client.get(report_url(region, run.pk, "city")).status_code == 200


def test_a_second_test_can_continue_the_scale_of_the_first(region: Region, run_id: int) -> None:
    second = add_assessment(region, "math-2027", held=date(2027, 6, 18), seed=7, shift=0.4)
    client = region.client("city_officer")
    address = reverse("evaluation:declare", args=[ids.encode("assessment", second)])
    first = ids.encode("run", run_id)
    assert f'<option value="{first}">四年级数学监测2026 · 2026-06-18</option>' in client.get(address).content.decode()
    fields = {"title": "第二年", "programme": "math", "cuts": "400,500", "minimum_group": 10, "seed": 1}
    assert client.post(address, fields | {"anchor": "0000000000000"}).status_code == 400
    assert client.post(address, fields | {"anchor": first}).status_code == 302
    run_pending()
    run = EvaluationRun.objects.get(title="第二年")
    scale = run.declaration["scale"]
    assert (scale["method"], scale["anchor_run_id"]) == ("anchor", run_id)
    assert [cut["score"] for cut in scale["cuts"]] == [400, 475, 550, 625]
    assert run.scale_key == EvaluationRun.objects.get(pk=run_id).scale_key
    page = client.get(report_url(region, run.pk, "city")).content.decode()
    assert "chart-trend" in page
    assert "比上一次（2026-06-18）高" in page


def test_a_failed_run_can_be_started_again_by_who_may(region: Region) -> None:
    run_id = finished_run(region)
    EvaluationRun.objects.filter(pk=run_id).update(status=RunStatus.FAILED, error="磁盘已满")
    address = reverse("evaluation:run", args=[ids.encode("run", run_id)])
    client = region.client("city_officer")
    page = client.get(address).content.decode()
    assert "磁盘已满" in page
    assert "开始分析" in page
    assert client.post(address + "start/").status_code == 302
    assert EvaluationRun.objects.get(pk=run_id).status == RunStatus.RUNNING
    assert region.client("head").post(address + "start/").status_code == 404


def test_a_report_page_asks_a_fixed_number_of_queries(region: Region, run_id: int, django_assert_max_num_queries) -> None:
    client = region.client("city_officer")
    client.get(report_url(region, run_id, "city"))
    for org in ("city", "east", "west1c1"):
        with django_assert_max_num_queries(32):
            client.get(report_url(region, run_id, org))


def test_a_pupil_and_the_parents_hold_the_proof_of_their_own_score(region: Region, tmp_path, settings) -> None:
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    run_id = finished_run(region)
    run_pending()
    child = f"{pupil_url(region, run_id, 'pupil')}evidence/"
    assert child in region.client("parent").get(pupil_url(region, run_id, "pupil")).content.decode()
    assert region.client("pupil").get(f"{child}proof.json").status_code == 404, "no head covers it yet"
    assert "正在记入" in region.client("pupil").get(child).content.decode()
    trust.grow_log(now=NOW)
    for role in ("pupil", "parent"):
        client = region.client(role)
        assert "自己验证" in client.get(child).content.decode()
        original = read(client.get(f"{child}score.json"))
        proof = trust.read_proof(read(client.get(f"{child}proof.json")).decode())
        assert trust.verify_proof(proof, log_keys=trust.log_keys()).fault == ""
        assert (proof.business, proof.digest) == (Business.SCORE, sha256(original).digest())
    said = json.loads(original)
    (row,) = scores_of(run_id, person_ids=[region.people["pupil"]]).to_pylist()
    assert said["scores"]["eap"] == row["eap"]
    assert not [name for name in said["scores"] if name.startswith("pv") or name.endswith("_id")]
    assert audit.entries(action="evaluation.evidence_downloaded", target=f"person:{region.people['pupil']}").count() == 4
    for file in ("", "score.json", "proof.json"):
        assert region.client("far_pupil").get(f"{child}{file}").status_code == 404, file
