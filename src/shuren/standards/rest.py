"""The words over HTTP, read only, for everybody who is signed in and for apps that may read the directory."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema

from shuren.kernel import clock
from shuren.kernel.errors import Invalid
from shuren.kernel.paging import SIZES, page_of_rows
from shuren.standards.data import Authority, CodeSetData, EditionData, ElementData, ElementType, Grade
from shuren.standards.selectors.editions import editions
from shuren.standards.selectors.exchange import exchange_format, exchange_formats, exchange_schema, jyt_name
from shuren.standards.selectors.listed import code_sets_like, codes_like, elements_like
from shuren.standards.selectors.words import code_set, element

router = Router(tags=["standards"])


class Paging(Schema):
    """Which page, from 1, and how long (at most 200)."""

    page: int = 1
    size: int = 50

    @property
    def bounded(self) -> dict[str, int]:
        return {"number": max(1, self.page), "size": min(max(1, self.size), SIZES[-1])}


class ElementOut(Schema):
    """A data element; `source` is the one place where its values come from, `jyt` its name in JY/T 1002 to 1004."""

    code: str
    name_zh: str
    name_en: str
    type: ElementType
    grade: Grade
    length: int | None
    unit: str
    code_set: str
    reference: str
    source: str
    department: str
    jyt: str


class ElementPage(Schema):
    """One page of elements."""

    rows: list[ElementOut]
    total: int
    is_exact: bool
    page: int


class CodeSetOut(Schema):
    """A code set; `name_en` is empty where the standard is in Chinese alone."""

    code: str
    name_zh: str
    name_en: str
    authority: Authority
    reference: str
    codes: int


class CodeSetPage(Schema):
    """One page of code sets."""

    rows: list[CodeSetOut]
    total: int
    is_exact: bool
    page: int


class CodeOut(Schema):
    """A code, valid from `begin` on and before `end`; `above` is the code over it, `replaced_by` the one that took its place."""

    code: str
    name_zh: str
    name_en: str
    begin: date | None
    end: date | None
    replaced_by: str
    above: str


class CodePage(Schema):
    """One page of codes."""

    rows: list[CodeOut]
    total: int
    is_exact: bool
    page: int


class EditionOut(Schema):
    """An edition of code sets that was taken."""

    number: int
    title: str
    digest: str = Field(description="SHA-256 of what it says: the same code sets have the same digest.")
    code_sets: list[str]
    taken_at: str
    is_in_force: bool


class FormatOut(Schema):
    """A format that data is exchanged in."""

    code: str
    name: str
    reference: str
    fields: int


class SchemaOut(Schema):
    """The JSON Schema 2020-12 of one record of a format."""

    format: str
    definition: dict[str, Any]


@router.get("/elements", response=ElementPage, summary="Data elements")
def list_data_elements(request: HttpRequest, paging: Query[Paging], q: str = "", grade: str = "") -> dict[str, Any]:
    """Data elements by code; `q` is part of a name, the code, the department or the reference."""
    return _page([_element(one) for one in elements_like(q[:60], grade=grade)], paging)


@router.get("/elements/{code}", response=ElementOut, summary="One data element")
def get_data_element(request: HttpRequest, code: str) -> ElementOut:
    """What an element holds, how carefully it is kept and where its values come from."""
    return _element(element(code))


@router.get("/code-sets", response=CodeSetPage, summary="Code sets")
def list_code_sets(request: HttpRequest, paging: Query[Paging], q: str = "", authority: str = "") -> dict[str, Any]:
    """Code sets by code; `q` is part of a name, the code or the reference, or of the name of a code in it."""
    return _page([_code_set(one) for one in code_sets_like(q[:60], authority=authority)], paging)


@router.get("/code-sets/{code}", response=CodeSetOut, summary="One code set")
def get_code_set(request: HttpRequest, code: str) -> CodeSetOut:
    """A set by its code; a table that says the same as another set is answered with that set."""
    return _code_set(code_set(code))


@router.get("/code-sets/{code}/codes", response=CodePage, summary="Codes of a set")
def list_codes(request: HttpRequest, code: str, paging: Query[Paging], q: str = "", on: date | None = None) -> dict[str, Any]:
    """Codes in the order of the standard; with `on` only those valid that day."""
    rows = [
        CodeOut(
            code=row.code.code,
            name_zh=row.code.name_zh,
            name_en=row.code.name_en,
            begin=row.code.begin,
            end=row.code.end,
            replaced_by=row.code.replaced_by,
            above=row.above,
        )
        for row in codes_like(code_set(code), q[:60], on=on)
    ]
    return _page(rows, paging)


@router.get("/editions", response=list[EditionOut], summary="Editions since a number")
def list_editions(request: HttpRequest, since: int = 0) -> list[EditionOut]:
    """Editions after number `since`, earliest first: what a copy of the registry has to follow."""
    if since < 0:
        raise Invalid(_("版本号不能是负数。"))
    return [_edition(one) for one in reversed(editions()) if one.number > since]


@router.get("/formats", response=list[FormatOut], summary="Exchange formats")
def list_formats(request: HttpRequest) -> list[FormatOut]:
    """Formats that data is exchanged in."""
    language = get_language() or ""
    return [
        FormatOut(code=one.code, name=one.name(language), reference=one.reference, fields=len(one.fields))
        for one in exchange_formats()
    ]


@router.get("/formats/{code}/schema", response=SchemaOut, summary="JSON Schema of a format")
def get_schema(request: HttpRequest, code: str, on: date | None = None) -> SchemaOut:
    """The JSON Schema of one record, with the codes valid today or on a day."""
    day = on or clock.day_of(clock.now())
    return SchemaOut(format=exchange_format(code).code, definition=exchange_schema(code, on=day))


def _page(rows: list[Any], paging: Paging) -> dict[str, Any]:
    page = page_of_rows(rows, **paging.bounded)
    return {"rows": page.rows, "total": page.total, "is_exact": page.is_exact, "page": page.number}


def _element(one: ElementData) -> ElementOut:
    return ElementOut(
        code=one.code,
        name_zh=one.name_zh,
        name_en=one.name_en,
        type=one.type,
        grade=one.grade,
        length=one.length,
        unit=one.unit,
        code_set=one.code_set,
        reference=one.reference,
        source=one.source,
        department=one.department,
        jyt=jyt_name(one.code),
    )


def _code_set(one: CodeSetData) -> CodeSetOut:
    return CodeSetOut(
        code=one.code,
        name_zh=one.name_zh,
        name_en=one.name_en,
        authority=one.authority,
        reference=one.reference,
        codes=len(one.codes),
    )


def _edition(one: EditionData) -> EditionOut:
    return EditionOut(
        number=one.number,
        title=one.title,
        digest=one.digest,
        code_sets=list(one.code_sets),
        taken_at=one.taken_at.isoformat(),
        is_in_force=one.is_in_force,
    )
