"""The roster of a branch, as a file."""

import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest
from django.utils.timezone import make_aware
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuren.directory.data import CountKind, Permission, RosterForm
from shuren.directory.selectors.counts import counts_of
from shuren.directory.selectors.orgs import access_org
from shuren.directory.services.export_roster.service import export_roster
from shuren.directory.views.asked import actor_in, consent_text_id_in, now, org_id_in
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Conflict, Invalid

_FORMS = {"xlsx": RosterForm.EXCEL, "zip": RosterForm.ONEROSTER}
# What one request can write while somebody waits.
_MOST_MEMBERS = 100_000


@sensitive_files()
@require_GET
def roster_file(request: HttpRequest, public_id: str, form: str) -> FileResponse:
    """Everybody and everything in the branch, in the form that can be imported again; national ids stay out.

    With `notice` the file is for the app that this notice names, and says what may be told to it; with `since` (a moment of
    ISO 8601) a OneRoster zip holds only what changed from then on.
    """
    actor, moment = actor_in(request), now()
    org = access_org(actor=actor, id=org_id_in(public_id), permission=Permission.EXPORT_ROSTER, now=moment)
    if counts_of([org.id])[org.id].get(CountKind.MEMBERS, 0) > _MOST_MEMBERS:
        raise Conflict(
            _("人数太多，不能在网页上导出。"),
            remedy=_("请按区县或学校分别导出，或请系统管理员用命令 shuren roster export 导出。"),
        )
    notice_id = consent_text_id_in(request.GET["notice"]) if "notice" in request.GET else None
    since = _since(request)
    # The file has no name of its own once it is open, so nothing is left behind when it has been sent.
    folder = Path(settings.DATA_DIR) / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="roster-", dir=folder) as scratch:
        path = Path(scratch) / f"roster.{form}"
        export_roster(actor=actor, org_id=org.id, form=_FORMS[form], path=path, now=moment, notice_id=notice_id, since=since)
        content = path.open("rb")
    return FileResponse(content, as_attachment=True, filename=f"{org.name}-{_('名册')}.{form}")


def _since(request: HttpRequest) -> datetime | None:
    text = request.GET.get("since", "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(_("“%(text)s”不是时间。") % {"text": text[:40]}, remedy=_("请写成 2026-11-01T00:00:00Z 的样子。")) from None
    return found if found.tzinfo else make_aware(found)
