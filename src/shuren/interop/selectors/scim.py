"""What clients of the SCIM service call people and orgs by."""

from collections.abc import Collection

from shuren.interop.models import ScimRecord


def records_of(*, client_id: str, kind: str, row_ids: Collection[int]) -> dict[int, ScimRecord]:
    """The client's records by row id; most rows have none."""
    rows = ScimRecord.objects.filter(client_id=client_id, kind=kind, row_id__in=list(row_ids))
    return {row.row_id: row for row in rows}


def row_ids_by_external(*, client_id: str, kind: str, external_id: str) -> list[int]:
    rows = ScimRecord.objects.filter(client_id=client_id, kind=kind, external_id=external_id, removed_at__isnull=True)
    return list(rows.values_list("row_id", flat=True)[:500]) if external_id else []


def removed_ids(*, client_id: str, kind: str, row_ids: Collection[int]) -> set[int]:
    """Those that the client deleted: to it they are gone."""
    rows = ScimRecord.objects.filter(client_id=client_id, kind=kind, row_id__in=list(row_ids), removed_at__isnull=False)
    return set(rows.values_list("row_id", flat=True))
