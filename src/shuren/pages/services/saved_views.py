"""Views kept and thrown away. They hold no data of the list, only how to look at it, so nothing is audited."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel.errors import Conflict
from shuren.pages.data import NewView, SavedViewData
from shuren.pages.models import SavedView
from shuren.pages.rules.saved_views import VIEWS_PER_LIST
from shuren.pages.selectors import access_saved_view, view_data


@transaction.atomic
def save_view(*, account_id: int, view: NewView, now: datetime) -> SavedViewData:
    """Keep the view for the account; one of the same name on the same list is replaced."""
    beside = SavedView.objects.filter(account_id=account_id, path=view.path, list_name=view.list_name)
    if beside.exclude(name=view.name).count() >= VIEWS_PER_LIST:
        raise Conflict(
            _("这张列表已经存了 %(count)d 个视图。") % {"count": VIEWS_PER_LIST}, remedy=_("请先删除不用的视图，再保存新的。")
        )
    row, _is_new = SavedView.objects.update_or_create(
        account_id=account_id,
        path=view.path,
        list_name=view.list_name,
        name=view.name,
        defaults={"list_title": view.list_title, "query": view.query, "saved_at": now},
    )
    return view_data(row)


def delete_view(*, account_id: int, id: str) -> SavedViewData:
    """Throw away one of the account's own views; returns it, so that it can be kept again."""
    view = access_saved_view(account_id=account_id, id=id)
    SavedView.objects.filter(pk=view.id).delete()
    return view
