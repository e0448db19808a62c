"""What systems keep in their gradebooks."""

from collections.abc import Iterable

from django.db.models import QuerySet

from shuren.interop.models import Mark
from shuren.kernel.scope import path_q


def marks_of(*, owner: str, kind: str, paths: Iterable[str]) -> QuerySet[Mark]:
    """The objects of one collection within the branches, in the order in which they came."""
    return Mark.objects.filter(path_q("org_path", paths), owner=owner, kind=kind).order_by("pk")
