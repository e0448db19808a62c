"""What the search of the house finds here: entries of the registers somebody reads, and cases they may look into."""

from dataclasses import replace
from datetime import datetime

from shuren.casework.models import Case, Entry
from shuren.casework.selectors.cases import CaseQuery, cases_page, own_cases_page
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.entries import Register, registers_open_to
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page
from shuren.kernel.scope import Scope
from shuren.search import api as search_index
from shuren.search.data import Hit, Part

ENTRY, CASE = "entry", "case"
_OWN_SEARCHED = 200


def register_paths(register_id: int, org_path: str) -> tuple[str, ...]:
    """The orgs on the way to an entry, each as a branch of its register: one may read a register and not another there."""
    return tuple(f"{register_id}.{org_id}/" for org_id in org_path.split("/") if org_id)


def found_entries(*, actor: Actor, text: str, limit: int, offset: int, now: datetime) -> Page[Hit]:
    """Entries by their names and what identifies them, of every register that `actor` reads and where they read it."""
    registers = {register.definition.pk: register for register in registers_open_to(actor=actor, now=now)}
    shown = [one for one in registers.values() if not one.access.hides_names]
    paths = (register_paths(one.definition.pk, path)[-1] for one in shown for path in one.access.read_paths)
    page = search_index.find(text, scope=Scope(tuple(paths)), kinds=(ENTRY,), limit=limit, offset=offset)
    rows = Entry.objects.filter(pk__in=[hit.object_id for hit in page.rows], removed_at__isnull=True).in_bulk()
    told = [_entry_hit(hit, rows[hit.object_id], registers) for hit in page.rows if hit.object_id in rows]
    return Page(rows=[hit for hit in told if hit], total=page.total, is_exact=page.is_exact, number=page.number, size=page.size)


def _entry_hit(hit: Hit, entry: Entry, registers: dict[int, Register]) -> Hit | None:
    """The hit under its register, unless the entry has moved out of the reader's branch since it was indexed."""
    register = registers[entry.register_id]
    told = register.title if hit.text in ("", hit.title) else f"{register.title} {hit.text}"
    return replace(hit, text=told) if register.access.may_read(entry.org_path) else None


def found_cases(*, actor: Actor, text: str, number: int, size: int, now: datetime) -> Page[Hit]:
    """Cases by the beginning of their number or a word of their title; of whoever looks into none, their own newest ones."""
    page = cases_page(actor=actor, query=CaseQuery(search=text), number=number, size=size, now=now)
    rows, total = page.rows, page.total
    if not total:
        own = own_cases_page(actor=actor, size=_OWN_SEARCHED, now=now).rows
        matching = [case for case in own if text.lower() in case.title.lower() or case.number.startswith(text.upper())]
        rows, total = matching[(number - 1) * size : number * size], len(matching)
    return Page(rows=[_case_hit(case) for case in rows], total=total, is_exact=page.is_exact, number=number, size=size)


def _case_hit(case: Case) -> Hit:
    title = case.title or str(spec_of(case.definition).title)
    return Hit(CASE, case.pk, title, case.number, case.org_path, (Part(title, is_match=False),))
