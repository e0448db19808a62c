"""The apps of the reader's school, for portals of others."""

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.identity.api import actor_of
from shuren.interop.data import AppCategory, AppStatus, LaunchKind
from shuren.interop.rest.callers import ERRORS
from shuren.interop.selectors.apps import app_data, installations_at
from shuren.interop.selectors.people import paths_of
from shuren.kernel import clock

router = Router(tags=["apps"])


class AppOut(Schema):
    """An app that is chosen where the reader is."""

    id: str
    name: str
    name_en: str
    vendor: str
    category: AppCategory
    kind: LaunchKind
    status: AppStatus


@router.get("", response={200: list[AppOut], **ERRORS}, operation_id="list_apps", summary="Apps of the reader's school")
def list_apps(request: HttpRequest) -> list[AppOut]:
    """Where the reader learns, teaches or works, and where their children learn."""
    found = {row.app_id: app_data(row.app) for row in installations_at(paths_of(actor_of(request), now=clock.now()))}
    return [
        AppOut(
            id=app.public_id,
            name=app.name,
            name_en=app.name_en,
            vendor=app.vendor_name,
            category=app.category,
            kind=app.kind,
            status=app.status,
        )
        for app in found.values()
    ]
