"""Opening an app from the portal."""

from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlencode

from django.db import connection
from django.utils.translation import gettext as _

from shuren.interop.data import AppData, LaunchKind
from shuren.interop.models import Installation
from shuren.interop.selectors.agreed import is_usable
from shuren.interop.selectors.apps import app_data, chain_of, installations_at
from shuren.kernel import clock
from shuren.kernel.errors import Conflict, NotFound

_ADD = """
    INSERT INTO interop_launchcount (app_id, day, person_id, org_id, count) VALUES (%s, %s, %s, %s, 1)
    ON CONFLICT (app_id, day, person_id) DO UPDATE SET count = interop_launchcount.count + 1
"""


def launch_app(*, app_id: int, person_id: int, paths: Collection[str], issuer: str, now: datetime) -> tuple[AppData, str]:
    """Where to send the browser; counts the launch. `paths` are the places of the person, in one of which the app is chosen.

    A suspended app and an example answer `Conflict`, one that is not chosen there `NotFound`. OpenID Connect apps are
    asked to begin the sign-in themselves (Core 1.0, section 4); CAS and SAML apps do so on their own.
    """
    row = _chosen(app_id, paths)
    app = app_data(row.app)
    if not app.is_running:
        raise Conflict(_("“%(name)s”现在停用，暂时不能打开。") % {"name": app.name}, remedy=app.status_reason)
    if row.app.is_example:
        raise Conflict(_("“%(name)s”是演示用的示例，背后没有真实的服务。") % {"name": app.name})
    count_launch(app_id=app_id, person_id=person_id, org_id=row.org_id, now=now)
    if app.kind in (LaunchKind.CAS, LaunchKind.SAML):
        return app, app.launch_url
    mark = "&" if "?" in app.launch_url else "?"
    return app, f"{app.launch_url}{mark}{urlencode({'iss': issuer})}"


def count_launch(*, app_id: int, person_id: int, org_id: int, now: datetime) -> None:
    """Count that a person opened an app today; `org_id` is the org that chose it."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [app_id, clock.day_of(now).isoformat(), person_id, org_id])


def _chosen(app_id: int, paths: Collection[str]) -> Installation:
    found = [row for row in installations_at(paths) if row.app_id == app_id and is_usable(row)]
    if not found:
        raise NotFound(_("您的学校没有选用这个应用。"))
    return max(found, key=lambda row: len(chain_of(row.org_path)))
