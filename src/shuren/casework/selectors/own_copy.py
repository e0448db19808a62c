"""What the engine holds about a person, for the copy they may take of everything on file."""

from shuren.casework.models import Case, Entry, WorkItem

_ROWS = 1_000


def cases_kept(person_id: int) -> list[dict[str, object]]:
    """Cases somebody filed and cases about them, with what was filled in; drafts too. The newest thousand of each."""
    found = [*Case.objects.filter(filer_id=person_id).order_by("-id")[:_ROWS]]
    found += Case.objects.filter(subject_id=person_id).exclude(filer_id=person_id).order_by("-id")[:_ROWS]
    return [
        {
            "number": case.number,
            "title": case.title,
            "state": case.state,
            "result": case.result,
            "filed_at": case.filed_at,
            "closed_at": case.closed_at,
            "data": str(case.data),
        }
        for case in found
    ]


def entries_kept(person_id: int) -> list[dict[str, object]]:
    """Entries of registers that are about somebody, removed ones too."""
    rows = Entry.objects.filter(subject_id=person_id).select_related("register").order_by("id")[:_ROWS]
    return [
        {
            "register": row.register.title,
            "label": row.label,
            "state": row.state,
            "changed_at": row.changed_at,
            "removed_at": row.removed_at,
            "data": str(row.data),
        }
        for row in rows
    ]


def opinions_kept(person_id: int) -> list[dict[str, object]]:
    """What somebody decided and wrote about cases."""
    rows = WorkItem.objects.filter(done_by_id=person_id).select_related("case").order_by("-id")[:_ROWS]
    return [{"case": row.case.number, "outcome": row.outcome, "comment": row.comment, "at": row.done_at} for row in rows]
