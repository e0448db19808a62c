"""The policy of a dataset says what applies, keeps to its schema, and is for readers of the catalogue."""

import jsonschema
import pyarrow as pa
import pytest
from tests.cast import Cast

from shuren.datahub.api import declare_dataset, hold_dataset, write_partition
from shuren.datahub.data import Asset, AssetKind, ColumnSpec, DatasetSpec
from shuren.datahub.models import CatalogueAsset
from shuren.datahub.rules.policy import SCHEMA
from shuren.datahub.services.register_assets import register_assets
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM

SPEC = DatasetSpec(
    "probe.policy",
    ("year",),
    "政策样例",
    "L3",
    "tests",
    columns={
        "sex": ColumnSpec(element="person.sex"),
        "phone": ColumnSpec(element="person.phone"),
        "mark": ColumnSpec(grade="L2", title_zh="成绩", title_en="Mark"),
        "org_path": ColumnSpec(title_zh="机构路径"),
    },
    scope_column="org_path",
    keep_days=30,
)


@pytest.fixture
def url(cast: Cast) -> str:
    declare_dataset(SPEC)
    rows = pa.table({"org_path": ["1/"], "sex": ["1"], "phone": ["13800000001"], "mark": pa.array([1], pa.int16())})
    write_partition(SPEC.name, {"year": 2026}, rows, actor=SYSTEM, now=cast.now)
    told = [Asset(kind=kind, name=SPEC.name, title_zh="政策样例") for kind in (AssetKind.DATASET, AssetKind.FORM)]
    register_assets(told, source="probe", now=cast.now)
    return f"/data/catalogue/{ids.encode('asset', CatalogueAsset.objects.get(kind='dataset').pk)}/"


def test_the_policy_keeps_to_its_schema_and_follows_what_applies(cast: Cast, url: str) -> None:
    officer = cast.client("county_officer")
    schema = officer.get("/data/catalogue/policy.schema.json").json()
    assert schema == SCHEMA
    told = officer.get(f"{url}policy.json").json()
    jsonschema.validate(told, schema)
    assert (told["owner"], told["grade"], told["rows"]) == ("tests", "L3", {"belong_by": "path", "column": "org_path"})
    assert told["retention"] == {"superseded_kept_days": 30, "is_held": False, "held_reason": ""}
    columns = {column["name"]: column for column in told["columns"]}
    assert (columns["phone"]["mask"], columns["phone"]["may_be_opened_as"]) == ("phone", [])
    assert (columns["mark"]["title"], columns["sex"]["title"]["zh"]) == ({"zh": "成绩", "en": "Mark"}, "性别")
    assert told["title"] == {"zh": "政策样例", "en": "政策样例"}
    assert columns["mark"]["may_be_opened_as"] == ["exact", "band", "mean"]
    hold_dataset(SPEC.name, reason="审计", actor=SYSTEM, now=cast.now)
    told = officer.get(f"{url}policy.json").json()
    jsonschema.validate(told, schema)
    assert told["retention"]["held_reason"] == "审计"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**told, "grade": "L9"}, schema)
    assert f"{url}policy.json" in officer.get(url).content.decode()


def test_the_policy_is_for_readers_of_the_catalogue_and_of_datasets_alone(cast: Cast, url: str) -> None:
    for stranger in ("teacher", "pupil", "system_admin"):
        client = cast.client(stranger)
        assert {client.get(path).status_code for path in (f"{url}policy.json", "/data/catalogue/policy.schema.json")} == {404}
    form = ids.encode("asset", CatalogueAsset.objects.get(kind="form").pk)
    officer = cast.client("county_officer")
    assert officer.get(f"/data/catalogue/{form}/policy.json").status_code == 404
    assert "policy.json" not in officer.get(f"/data/catalogue/{form}/").content.decode()
