"""Reads of what an account keeps; everybody sees their own and nobody else's."""

from django.utils.translation import gettext as _

from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.pages.data import Hint, SavedViewData
from shuren.pages.models import ReadHint, SavedView
from shuren.pages.rules.hints import hints_left, hints_of

KIND = "saved_view"


def saved_views(account_id: int, *, path: str = "", list_name: str = "") -> list[SavedViewData]:
    """The account's views by list and name, or only those of one list."""
    rows = SavedView.objects.filter(account_id=account_id)
    if path:
        rows = rows.filter(path=path, list_name=list_name)
    return [view_data(row) for row in rows.order_by("list_title", "path", "name")]


def access_saved_view(*, account_id: int, id: str) -> SavedViewData:
    """One of the account's own views by its public id; anybody else's does not exist for them."""
    row = SavedView.objects.filter(pk=ids.decode(KIND, id), account_id=account_id).first()
    if row is None:
        raise NotFound(_("没有找到这个视图。"))
    return view_data(row)


def view_data(row: SavedView) -> SavedViewData:
    return SavedViewData(
        id=row.pk,
        public_id=ids.encode(KIND, row.pk),
        name=row.name,
        list_name=row.list_name,
        list_title=row.list_title,
        path=row.path,
        query=row.query,
        saved_at=row.saved_at,
    )


def unread_hints(account_id: int, place: str) -> tuple[Hint, ...]:
    """The hints of a kind of page that the account has not put away."""
    keys = [hint.key for hint in hints_of(place)]
    if not keys:
        return ()
    read = set(ReadHint.objects.filter(account_id=account_id, key__in=keys).values_list("key", flat=True))
    return hints_left(place, read)
