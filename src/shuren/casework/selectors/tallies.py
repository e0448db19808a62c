"""What was counted of cases, in the branches of a scope."""

from django.db.models import QuerySet

from shuren.casework.data import DefinitionKind
from shuren.casework.models import CaseTally, Definition
from shuren.directory import api as directory
from shuren.kernel.scope import Scope, path_q


def tallied_definitions() -> list[int]:
    """Ids of everything that cases run on."""
    kinds = (DefinitionKind.FORM.value, DefinitionKind.FLOW.value)
    return list(Definition.objects.filter(kind__in=kinds).order_by("pk").values_list("pk", flat=True))


def covers_region(scope: Scope) -> bool:
    root = directory.root_org()
    return root is not None and scope.covers(root.path)


def tally_within(scope: Scope) -> QuerySet[CaseTally]:
    """The rows that add up to what lies in the scope; whoever looks over everything reads one row for all orgs."""
    if covers_region(scope):
        return CaseTally.objects.filter(org__isnull=True)
    return tally_of_orgs(scope)


def tally_of_orgs(scope: Scope) -> QuerySet[CaseTally]:
    return CaseTally.objects.filter(path_q("org_path", scope.paths), org__isnull=False)
