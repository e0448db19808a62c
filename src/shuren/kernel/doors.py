"""Which views answer before somebody has fully come in; every other view asks for a sign-in first."""

from collections.abc import Callable, Container
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def open_door(view: View) -> View:
    """Mark a view that answers strangers: a public page, or an endpoint with a proof of its own (token, signature)."""
    view.is_open_door = True  # type: ignore[attr-defined]  # read by `is_open`
    return view


def before_entry(view: View) -> View:
    """Mark a view that a signed-in person reaches before a step still due, such as changing a first password."""
    view.is_before_entry = True  # type: ignore[attr-defined]  # read by `is_before_entry`
    return view


def sensitive(purpose: str) -> Callable[[View], View]:
    """Mark a view that asks who is there once more before it opens, for a purpose of `identity.data.Purpose`."""

    def mark(view: View) -> View:
        view.sensitive_purpose = purpose  # type: ignore[attr-defined]  # read by `purpose_of`
        return view

    return mark


def sensitive_files(*, asked_by: str = "") -> Callable[[View], View]:
    """Mark a view that gives files with personal data graded L3 or above: each asks who is there once more.

    With `asked_by`, a field of the address, a page gives the file only where that field is written; `export` for lists.
    """

    def mark(view: View) -> View:
        view.gives_files_by = asked_by  # type: ignore[attr-defined]  # read by `gives_sensitive_file`
        return view

    return mark


def is_open(view: object) -> bool:
    return bool(getattr(view, "is_open_door", False))


def is_before_entry(view: object) -> bool:
    return bool(getattr(view, "is_before_entry", False))


def gives_sensitive_file(view: object, fields: Container[str] = ()) -> bool:
    """Whether the view answers with a file marked by `sensitive_files`, asked with these fields in its address."""
    asked_by: str | None = getattr(view, "gives_files_by", None)
    return asked_by is not None and (not asked_by or asked_by in fields)


def purpose_of(view: object, fields: Container[str] = ()) -> str | None:
    return "export" if gives_sensitive_file(view, fields) else getattr(view, "sensitive_purpose", None)
