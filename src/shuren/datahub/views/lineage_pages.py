"""Where data came from and where it goes: one step first, more where the reader opens it. The picture is a list."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.data import AssetKind
from shuren.datahub.models import CatalogueAsset
from shuren.datahub.selectors.assets import columns_of
from shuren.datahub.selectors.lineage_map import MOST_OPEN, PER_STEP, Branch, Spot, Step, branch_of
from shuren.datahub.views.asset_words import JOBS, KINDS
from shuren.datahub.views.catalogue_pages import asset_context, asset_in, asset_url, lineage_address
from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.pages.api import number_in

_SUGGESTED = 50


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One box of the picture with its links; `toggle_url` opens or shuts what is behind it."""

    title: str
    kind: str
    column: str
    url: str
    toggle_url: str
    is_open: bool
    is_again: bool
    job: str
    runs: int
    is_up: bool
    branch: "ShownBranch | None"


@dataclass(frozen=True, slots=True)
class ShownBranch:
    """The boxes behind one box, and the way to its other pages."""

    steps: tuple[ShownStep, ...]
    total: int
    is_exact: bool
    first: int
    previous_url: str
    next_url: str


@dataclass(frozen=True)
class _Address:
    """The address of the picture as it is, from which every link differs by one thing."""

    base: str
    column: str
    opened: Mapping[Spot, int]

    def opening(self, spot: Spot, number: int = 1) -> str:
        return self._with({**self.opened, spot: number})

    def shutting(self, spot: Spot) -> str:
        return self._with({each: number for each, number in self.opened.items() if each != spot})

    def _with(self, opened: Mapping[Spot, int]) -> str:
        fields = [("column", self.column)] if self.column else []
        fields += [("open", _token(spot, number)) for spot, number in list(opened.items())[-MOST_OPEN:]]
        return f"{self.base}?{urlencode(fields)}" if fields else self.base


def _token(spot: Spot, number: int) -> str:
    return f"{'up' if spot.is_up else 'down'}:{ids.encode('asset', spot.asset_id)}:{number}:{spot.column}"


def _opened(tokens: list[str]) -> dict[Spot, int]:
    """What the address says is open; what it says wrongly is shut."""
    found: dict[Spot, int] = {}
    for token in tokens[:MOST_OPEN]:
        parts = token.split(":", 3)
        number = number_in(parts[2], most=99_999) if len(parts) == 4 and parts[0] in ("up", "down") else None
        if number is not None:
            try:
                found[Spot(ids.decode("asset", parts[1]), parts[3], parts[0] == "up")] = number
            except NotFound:
                continue
    return found


@never_cache
@require_safe
def asset_lineage(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    row = asset_in(request, asset_id)
    column = request.GET.get("column", "").replace("\x00", "")[:200]
    address = _Address(asset_url(row.pk, "asset_lineage"), column, _opened(request.GET.getlist("open")))
    up, down = (_shown(branch_of(Spot(row.pk, column, is_up), opened=address.opened), address) for is_up in (True, False))
    context = {
        **asset_context(row, "asset_lineage"),
        "asset": row,
        "kind": KINDS[AssetKind(row.kind)],
        "column": column,
        "column_title": _column_title(row, column),
        "columns": [(each.name, each.title) for each in columns_of(row)[:_SUGGESTED]],
        "has_columns": row.column_count > 0,
        "up": up,
        "down": down,
        "whole_url": lineage_address(row.pk),
        "columns_url": asset_url(row.pk),
        "is_plain": not address.opened,
    }
    return render(request, "datahub/lineage.html", context)


def _column_title(row: CatalogueAsset, column: str) -> str:
    found = columns_of(row).filter(name=column).first() if column else None
    return found.title if found else ""


def _shown(branch: Branch, address: _Address) -> ShownBranch:
    number = branch.number
    return ShownBranch(
        steps=tuple(_shown_step(step, address) for step in branch.steps),
        total=branch.total,
        is_exact=branch.is_exact,
        first=(number - 1) * PER_STEP + 1,
        previous_url=address.opening(branch.spot, number - 1) if number > 1 else "",
        next_url=address.opening(branch.spot, number + 1) if number < branch.last else "",
    )


def _shown_step(step: Step, address: _Address) -> ShownStep:
    asset, edge, spot = step.neighbour.asset, step.neighbour.edge, step.spot
    leads_on = step.leads_on and not step.is_again
    return ShownStep(
        title=asset.title,
        kind=str(KINDS[AssetKind(asset.kind)]),
        column=spot.column,
        url=lineage_address(asset.pk, spot.column),
        toggle_url=(address.shutting(spot) if step.branch else address.opening(spot)) if leads_on else "",
        is_open=step.branch is not None,
        is_again=step.is_again,
        job=str(JOBS.get(edge.job, edge.job)) if edge.runs else _("按定义"),
        runs=edge.runs,
        is_up=spot.is_up,
        branch=_shown(step.branch, address) if step.branch else None,
    )
