"""Rows in quarantine: for those who bring the data of their unit; a row of elsewhere is not there."""

from dataclasses import replace

from django.apps import apps

from shuren.intake.data import Finding, RowContent
from shuren.intake.rules.quarantine import PURPOSE, packed
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.trust.api import seal
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, ROOT, Address, Area, act, call, form, page, roles
from tests.house.access.portal import portal_places

OWNERS = roles("school_admin province_officer")
_post = replace(call(EVERYBODY), methods=("POST",), granted=frozenset({422}))
ADDRESSES: dict[str, Address] = {
    "front:quarantine": page(EVERYBODY),
    "front:quarantine_of_import": page(MANAGERS, ROOT, import_id="import"),
    "front:quarantined_row": form(MANAGERS, ROOT, row_id="row"),
    "front:send_quarantined": replace(act(MANAGERS, ROOT), body=("ids", "row")),
    "front:discard_quarantined": replace(act(MANAGERS, ROOT), body=("ids", "row")),
    "front:send_import_again": act(MANAGERS, ROOT, import_id="import"),
    "front:quarantine_file": page(MANAGERS, ROOT, import_id="import"),
    "front:upload_mended": form(MANAGERS, ROOT, import_id="import"),
    "front:quarantine_import": act(OWNERS, ROOT, import_id="import"),
    "api-v1:list_quarantined_rows": call(EVERYBODY),
    "api-v1:read_quarantined_row": call(MANAGERS, ROOT, row_id="row"),
    "api-v1:correct_quarantined_row": replace(_post, objects={"row_id": "row"}, far=EVERYBODY),
    "api-v1:send_quarantined_rows": _post,
    "api-v1:discard_quarantined_rows": _post,
    "api-v1:set_aside_rows": replace(call(OWNERS, ROOT, import_id="import"), methods=("POST",)),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A row of the near school and one of the far school, each left out of an import of there."""
    imports = portal_places(cast)["import"]
    content = RowContent(("一", "二"), ("1", "2"), (Finding("名册.csv", "", 2, "一", "1", "不对"),))
    rows = []
    for public_id, school in zip(imports, ("school", "far_school"), strict=True):
        org = cast.orgs[school]
        row = apps.get_model("intake.QuarantinedRow").objects.create(
            run_id=ids.decode("import", public_id),
            kind="roster",
            org_id=org.id,
            org_path=org.path,
            file="名册.csv",
            row=2,
            reason="不对",
            fault_count=1,
            sealed=seal(packed(content), purpose=PURPOSE),
            state="waiting",
            quarantined_at=cast.now,
            kept_until=day_of(cast.now),
        )
        rows.append(ids.encode("quarantined_row", row.pk))
    return {"import": imports, "row": (rows[0], rows[1])}


AREA = Area(ADDRESSES, places)
