"""The evidence log, all of which answers anybody, and the audit trail with its proofs, which does not."""

from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, Address, Area, page, public, roles

EVIDENCE: dict[str, Address] = {
    "certificates:evidence": public("GET"),
    "certificates:evidence_checkpoint": public("GET", granted=404, stranger=404),  # the cast's log has no head yet
    "certificates:evidence_add_checkpoint": public("POST", granted=400, stranger=400),
    "certificates:evidence_tile": Address(
        near=EVERYBODY, granted=frozenset({404}), stranger=404, objects={"tile_path": "tile_path"}, far=EVERYBODY
    ),
    "certificates:verify_evidence": public("GET"),
    "front:audit_evidence": page(roles("audit_admin"), denied=403),
    "front:audit_archive": page(roles("audit_admin"), denied=403),
    "front:audit_archived": page(roles("audit_admin"), denied=403),
    # The cast's trail is too young for a file of the archive.
    "front:audit_archive_file": page(roles("audit_admin"), roles("audit_admin"), denied=403, granted=404, name="archive_name"),
}


def evidence_places(cast: Cast) -> dict[str, tuple[str, str]]:
    return {"tile_path": ("tile/0/000", "tile/entries/000"), "archive_name": ("1-2.jsonl.gz", "3-4.jsonl.gz")}


AREA = Area(EVIDENCE, evidence_places)
