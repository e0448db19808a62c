"""A person's own certificates, their growth archive, and links to show them by."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.certificates.data import CertificateStatus
from shuren.certificates.forms.giving import KINDS, ShareForm
from shuren.certificates.models import Certificate, Share
from shuren.certificates.rules.credentials import as_json
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.selectors.certificates import certificate_data, certificates_of, holders_for
from shuren.certificates.selectors.issuer import base_url
from shuren.certificates.services import share as sharing
from shuren.certificates.services.present import record_of
from shuren.certificates.services.print import printed_record
from shuren.certificates.views.form_pages import download, status_word
from shuren.certificates.views.giving_pages import certificate_url
from shuren.directory import api as directory
from shuren.directory.data import PersonData
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.paging import page_of

_SHOWN = 50
_IN_RECORD = 100


@never_cache
@require_safe
def wallet(request: HttpRequest) -> HttpResponseBase:
    """One's own certificates, or those of one of one's children."""
    actor, now = actor_of(request), clock.now()
    people = directory.people_by_ids(holders_for(actor, now=now))
    asked = request.GET.get("of", "")
    holder = next((one for one in people.values() if one.public_id == asked), None) or _first(people, actor.person_id)
    context: dict[str, object] = {"title": _("我的证书"), "holder": holder}
    if holder is not None:
        number = int(request.GET["page"][:6]) if request.GET.get("page", "")[:6].isdecimal() else 1
        page = page_of(certificates_of([holder.id]), _card, number=number, size=_SHOWN)
        shares = Share.objects.filter(holder_id=holder.id, ended_at__isnull=True, expires_at__gt=now).order_by("-made_at")[:20]
        context |= {
            "is_own": holder.id == actor.person_id,
            "page": page,
            "people": [
                {"name": one.name, "url": f"?of={one.public_id}", "is_current": one.id == holder.id} for one in people.values()
            ],
            "share_form": ShareForm(),
            "share_url": reverse("certificates:share", args=[holder.public_id]),
            "record_url": reverse("certificates:record", args=[holder.public_id]),
            "record_print_url": reverse("certificates:record_print", args=[holder.public_id]),
            "shares": [
                {"row": row, "end_url": reverse("certificates:end_share", args=[ids.encode("share", row.pk)])} for row in shares
            ],
            "new_link": request.session.pop("new_share_link", ""),
        }
    return render(request, "certificates/wallet.html", context)


def _first(people: dict[int, PersonData], own: int | None) -> PersonData | None:
    """The reader; a parent without certificates of their own sees their first child."""
    if own in people and (len(people) == 1 or certificates_of([own]).exists()):
        return people[own]
    return next((one for one in people.values() if one.id != own), None) or next(iter(people.values()), None)


def _card(row: Certificate) -> dict[str, object]:
    data = certificate_data(row, now=clock.now())
    return {
        "data": data,
        "kind": KINDS[data.kind],
        "status": status_word(data.status),
        "url": certificate_url(row),
        "number": grouped(data.number),
        "verify_url": reverse("certificates:verify_number", args=[data.number]),
    }


def _holder(request: HttpRequest, holder_id: str) -> PersonData:
    person_id = ids.decode("person", holder_id)
    if person_id not in holders_for(actor_of(request), now=clock.now()):
        raise NotFound(_("没有找到这个人。"))
    return directory.people_by_ids([person_id])[person_id]


def _valid_rows(person_id: int) -> list[Certificate]:
    now = clock.now()
    rows = certificates_of([person_id]).defer(None)[:_IN_RECORD]
    return [row for row in rows if certificate_data(row, now=now).status is CertificateStatus.VALID]


@never_cache
@require_safe
def record(request: HttpRequest, holder_id: str) -> HttpResponse:
    holder = _holder(request, holder_id)
    document = record_of(_valid_rows(holder.id), holder_name=holder.name, now=clock.now())
    _record_download(request, holder, "json")
    return download(as_json(document), name=f"{holder.name}-成长档案.json", kind="application/vc")


@never_cache
@require_safe
def record_print(request: HttpRequest, holder_id: str) -> HttpResponse:
    holder, now = _holder(request, holder_id), clock.now()
    rows = _valid_rows(holder.id)
    document = record_of(rows, holder_name=holder.name, now=now)
    _record_download(request, holder, "pdf")
    pdf = printed_record(rows, document=document, now=now)
    return download(pdf, name=f"{holder.name}-成长档案.pdf", kind="application/pdf")


def _record_download(request: HttpRequest, holder: PersonData, form: str) -> None:
    details = {"form": form}
    actor = actor_of(request)
    audit.record(
        actor=actor, action="certificates.record_downloaded", target=f"person:{holder.id}", details=details, now=clock.now()
    )


@require_POST
def share(request: HttpRequest, holder_id: str) -> HttpResponseBase:
    holder = _holder(request, holder_id)
    form = ShareForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("请选择链接保留多久。"))
    days = int(form.cleaned_data["days"])
    secret = sharing.share_certificates(actor=actor_of(request), holder_id=holder.id, days=days, now=clock.now())
    request.session["new_share_link"] = f"{base_url()}{reverse('certificates:shared', args=[secret])}"
    return redirect(f"{reverse('certificates:wallet')}?of={holder.public_id}")


@require_POST
def end_share(request: HttpRequest, share_id: str) -> HttpResponseBase:
    sharing.end_share(actor=actor_of(request), share_id=ids.decode("share", share_id), now=clock.now())
    messages.success(request, _("链接已失效。"))
    return redirect("certificates:wallet")


@open_door
@never_cache
@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    """What a share link shows to whoever has it: the valid certificates, and the way to check each."""
    now = clock.now()
    row = sharing.open_share(secret, now=now)
    cards = [_card(one) for one in _valid_rows(row.holder_id)]
    holder = directory.people_by_ids([row.holder_id])[row.holder_id]
    context = {"title": _("%(name)s的证书") % {"name": holder.name}, "cards": cards, "share": row}
    response = render(request, "certificates/shared.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
