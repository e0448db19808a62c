"""The pages of the life of data: an owner sets a rule, two people destroy, anybody of them checks the certificate."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shuren.datahub.models import Destruction, LifeCycleRule
from shuren.datahub.services.life_cycle.destroy import carry_out_destruction
from shuren.datahub.services.register_assets import refresh_catalogue
from shuren.datahub.tests.life_cycle.conftest import NAME, Keeper
from shuren.kernel import ids
from shuren.standards import api as standards

pytestmark = pytest.mark.django_db
HOME = f"/data/life-cycle/datasets/{NAME}/"
RULE = {
    "basis": "shortest",
    "ground": "",
    "counted_from": "partition",
    "in_use_days": "200",
    "then": "destroy",
    "archived_days": "",
}


def shown(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return b"".join(response).decode()


def sent(client: Client, path: str, **told: str) -> str:
    response = client.post(path, told)
    assert response.status_code == 302, response.content.decode()
    return str(response.headers["Location"])


def test_from_the_rule_to_the_certificate(keeper: Keeper) -> None:
    cast = keeper.cast
    officer, other = cast.client("county_officer"), cast.client("province_officer")
    assert "默认，待确认" in shown(officer, "/data/life-cycle/", q="到期样例")
    refused = officer.post(f"{HOME}rule/", {**RULE, "basis": "logs", "in_use_days": "30"}).content.decode()
    assert "总共只保存 30 天，短于法定的 184 天" in refused
    assert not LifeCycleRule.objects.exists()
    sent(officer, f"{HOME}rule/", **RULE)
    keeper.look()
    page = shown(officer, HOME)
    assert "使用 200 天后销毁" in page
    assert "份销毁证明" in page

    row = Destruction.objects.get(dataset=NAME)
    address = f"/data/life-cycle/destructions/{ids.encode('destruction', row.pk)}/"
    assert sent(officer, f"{address}propose/", ground="到期，按规定销毁") == address
    assert "批准销毁" not in shown(officer, address)
    assert "不能自己批准" in officer.post(f"{address}approve/", {"name": NAME}).content.decode()
    assert "与数据集的名称不同" in other.post(f"{address}approve/", {"name": "probe"}).content.decode()
    assert sent(other, f"{address}approve/", name=NAME) == address
    assert officer.get(f"{address}certificate.json").status_code == 404, "nothing is certified that is there"
    carry_out_destruction(destruction_id=row.pk, now=cast.now)
    assert "签名有效，文件确已不在" in shown(officer, address)

    file = officer.get(f"{address}certificate.json").json()
    told = other.get(f"/api/v1/life-cycle/destructions/{ids.encode('destruction', row.pk)}/certificate").json()
    assert (told, file["certificate"]["dataset"]) == (file, NAME)
    for changed, words in ((False, "没有改动"), (True, "文件被改动过")):
        brought = {**file, "certificate": {**file["certificate"], "rows": 1}} if changed else file
        upload = SimpleUploadedFile("证明.json", json.dumps(brought).encode())
        assert words in officer.post("/data/life-cycle/check/", {"certificate": upload}).content.decode()


def test_every_field_is_listed_with_what_its_grade_drives_and_gaps_are_shown(keeper: Keeper) -> None:
    standards.load_registry()
    refresh_catalogue(now=keeper.cast.now)
    officer = keeper.cast.client("county_officer")

    def fields(**asked: str) -> dict[str, dict[str, object]]:
        rows = officer.get("/api/v1/grades/fields", asked).json()["rows"]
        return {f"{row['asset']}.{row['field']}": row for row in rows}

    person = fields(search="directory_person", kind="table", size="100")
    number = person["directory_person.national_id_sealed"]
    assert number["is_sealed"] is True
    name = person["directory_person.name"]
    assert (name["grade"], name["mask"], name["access"], name["subject"]) == ("L3", "name", "personal", "person")
    assert fields(search=NAME)[f"{NAME}.mark"]["origin"] == "asset"
    gaps = fields(origin="none")
    assert {row["grade"] for row in gaps.values()} <= {""}
    assert all((row["access"], row["mask"]) == ("sensitive", "all") for row in gaps.values())
    assert "未定级" in shown(officer, "/data/grades/")
