"""What several pages of collections share: addresses, the head of a collection, the page of a form."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.casework.data import CollectionState
from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.selectors.collections.reach import Reach, access_collection
from shuren.casework.selectors.collections.repeating import next_period_of
from shuren.casework.views.collection_words import collection_status
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.pages.data import Action, Tab

TABS = ("collection", "collection_orgs", "collection_compare", "collection_data")


def collection_id_in(text: str) -> int:
    return ids.decode("collection", text)


def target_id_in(text: str) -> int:
    return ids.decode("target", text)


def collection_url(row: Collection, page: str = "collection") -> str:
    return reverse(f"casework:{page}", args=[ids.encode("collection", row.pk)])


def target_url(target: CollectionTarget, page: str = "collection_target") -> str:
    return reverse(f"casework:{page}", args=[ids.encode("target", target.pk)])


def reach_of(request: HttpRequest, collection_id: str) -> Reach:
    return access_collection(actor=actor_of(request), id=collection_id_in(collection_id), now=clock.now())


def head_of(reach: Reach, current: str, *, here: str = "") -> dict[str, Any]:
    """Title, state, tabs and buttons of a collection's pages."""
    row = reach.collection
    words = {"collection": _("进度"), "collection_orgs": _("名单"), "collection_compare": _("比较"), "collection_data": _("数据")}
    trail = [{"label": _("数据采集"), "url": reverse("casework:collections")}, {"label": row.title, "url": collection_url(row)}]
    return {
        "title": row.title,
        "state": collection_status(row.state),
        "lead": row.note,
        "breadcrumbs": [*trail, {"label": here, "url": ""}] if here else trail,
        "tabs": [Tab(label=words[page], url=collection_url(row, page), is_current=page == current) for page in TABS],
        "actions": _actions(reach),
    }


def _actions(reach: Reach) -> list[Action]:
    row = reach.collection
    stop = Action(label=_("停止自动再下发"), url=collection_url(row, "stop_repeating"), icon="player-pause")
    again = [stop] if reach.may_manage and next_period_of(row) else []
    if row.state != CollectionState.OPEN:
        return again
    actions = [Action(label=_("一键催办"), url=collection_url(row, "urge_collection"), icon="bell", is_primary=True)]
    if reach.may_manage:
        actions += [
            Action(label=_("改截止时间"), url=collection_url(row, "extend_collection"), icon="calendar"),
            Action(label=_("冻结"), url=collection_url(row, "freeze_collection"), icon="lock"),
            *again,
            Action(label=_("取消采集"), url=collection_url(row, "cancel_collection"), icon="trash", is_danger=True),
        ]
    return actions


def org_path_at(request: HttpRequest, reach: Reach) -> str:
    """The branch that the address asks for, else the outermost in reach; out of reach it does not exist."""
    asked = request.GET.get("at", "")
    if not asked:
        return reach.paths[0]
    org = directory.orgs_by_ids([ids.decode("org", asked)])
    path = next((found.path for found in org.values()), "")
    if not path or not any(path.startswith(reached) for reached in reach.paths):
        raise NotFound(_("没有找到这个机构。"))
    return path
