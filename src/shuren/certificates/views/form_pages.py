"""What a request says, and the page on which a form is filled in."""

from functools import partial

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.certificates.data import CertificateStatus
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.pages import api as pages
from shuren.pages.data import Status

_STATUS = {
    CertificateStatus.VALID: (gettext_lazy("有效"), "good"),
    CertificateStatus.EXPIRED: (gettext_lazy("已过期"), "warn"),
    CertificateStatus.REVOKED: (gettext_lazy("已撤销"), "bad"),
}


def status_word(status: CertificateStatus) -> Status:
    word, tone = _STATUS[status]
    return Status(text=str(word), tone=tone)


def posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def org_in(request: HttpRequest, org_id: str) -> OrgData:
    """The org, where the reader gives certificates; otherwise `NotFound`."""
    return directory.access_org(
        actor=actor_of(request), id=ids.decode("org", org_id), permission=Permission.ISSUE_CERTIFICATES, now=clock.now()
    )


def desk_url(org: OrgData) -> str:
    return reverse("certificates:desk", args=[org.public_id])


def trail(*steps: tuple[str, str]) -> list[dict[str, str]]:
    first = {"label": _("发放证书"), "url": reverse("certificates:start")}
    return [first, *({"label": label, "url": url} for label, url in steps)]


def download(content: bytes | str, *, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    response.headers["Cache-Control"] = "no-store"
    return response


# Here a form that is filled in wrongly is answered 400, as its API is.
form_page = partial(pages.form_page, invalid_status=400)
