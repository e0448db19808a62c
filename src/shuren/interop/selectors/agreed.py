"""What the orgs that chose an app agreed to: where it reaches, and with which scopes and data elements.

An org keeps the version it agreed to. A choice made above holds for everything below it, beside the choices made there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from shuren.interop.data import AppData, InstallationData, LaunchKind
from shuren.interop.models import AppVersion, ElementWish, Installation, Sandbox
from shuren.interop.rules.entries import DATA_SCOPES, SIGN_IN_SCOPES, stands_on
from shuren.interop.selectors.apps import HEAVY, chain_of, installation_data

REST_SCOPES = ("directory.read",)
_KINDS = ("app__current", "version")


def installation_of(app_id: int, org_path: str) -> InstallationData | None:
    """The choice that makes the app usable at `org_path`: of the org itself or the nearest one above it."""
    rows = Installation.objects.filter(app_id=app_id, org_id__in=chain_of(org_path), ended_at__isnull=True)
    row = next((row for row in rows.select_related(*_KINDS).defer(*HEAVY).order_by("-org_path") if is_usable(row)), None)
    return installation_data(row) if row else None


def is_usable(row: Installation) -> bool:
    """Whether the entry that the org agreed to can still run; needs `version` and `app.current` at hand."""
    return row.app.current is not None and stands_on(LaunchKind(row.version.kind), LaunchKind(row.app.current.kind))


def chosen_paths(app: AppData) -> tuple[str, ...]:
    """The branches whose orgs chose the app, whatever they agreed to; of a sandbox client the synthetic school."""
    return _paths_of_app(app, None)


def paths_of_app(app: AppData, *, scopes: Collection[str] = REST_SCOPES) -> tuple[str, ...]:
    """The branches whose orgs agreed to a version of the app with one of `scopes`; of a sandbox client the synthetic school.

    The default are those that open the REST API. A newer version opens nothing where only the older one was agreed to.
    """
    return _paths_of_app(app, frozenset(scopes))


def _paths_of_app(app: AppData, scopes: frozenset[str] | None) -> tuple[str, ...]:
    if app.is_sandbox:
        return tuple(Sandbox.objects.filter(vendor_id=app.vendor_id).values_list("org_path", flat=True))
    versions = AppVersion.objects.filter(app_id=app.id).values_list("pk", "kind", "scopes")
    allowed = [
        pk
        for pk, kind, held in versions
        if stands_on(LaunchKind(kind), app.kind) and (scopes is None or not scopes.isdisjoint(held))
    ]
    rows = Installation.objects.filter(app_id=app.id, version_id__in=allowed, ended_at__isnull=True)
    return tuple(rows.order_by("org_path").values_list("org_path", flat=True))


def agreed_at(app: AppData, paths: Iterable[str]) -> list[Installation]:
    """The choices that make the app usable at or above any of `paths`, each with its version; one indexed query."""
    wanted = {org_id for path in paths for org_id in chain_of(path)}
    rows = Installation.objects.filter(app_id=app.id, org_id__in=wanted, ended_at__isnull=True)
    return [row for row in rows.select_related(*_KINDS).defer(*HEAVY).order_by("org_path") if is_usable(row)]


def wished_at(app: AppData, paths: Iterable[str]) -> dict[str, frozenset[str]]:
    """By path the data elements that the versions agreed to there ask for."""
    places = sorted(set(paths))
    rows = agreed_at(app, places)
    elements: defaultdict[int, set[str]] = defaultdict(set)
    wishes = ElementWish.objects.filter(version_id__in={row.version_id for row in rows})
    for version_id, element in wishes.values_list("version_id", "element"):
        elements[version_id].add(element)
    return {
        path: frozenset[str]().union(*(elements[row.version_id] for row in rows if path.startswith(row.org_path)))
        for path in places
    }


def covered_scopes(app: AppData, places: Iterable[str], scopes: Collection[str]) -> frozenset[str]:
    """Those of `scopes` that are agreed to at each of `places` where the app was chosen.

    Beside them stand all that concern the app alone.
    """
    places = sorted(set(places))
    rows = agreed_at(app, places)
    covering = [[row for row in rows if path.startswith(row.org_path)] for path in places]
    allowed = [frozenset[str]().union(*map(_scopes_of, found)) for found in covering if found]
    kept = frozenset(scopes).intersection(*allowed) if allowed else frozenset[str]()
    return kept | (frozenset(scopes) - SIGN_IN_SCOPES.union(DATA_SCOPES))


def _scopes_of(row: Installation) -> frozenset[str]:
    own = SIGN_IN_SCOPES if row.version.kind == LaunchKind.OIDC else frozenset[str]()
    return own.union(row.version.scopes)
