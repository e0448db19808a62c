"""Pictures for the youngest: the class teacher's cards, and the tiles in the classroom."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose, SignInMethod, SignInRefusal
from shuren.identity.models import Account
from shuren.identity.rules.pictures import PICTURES, is_young, pictures_in
from shuren.identity.services import pictures
from shuren.identity.views.door_cookie import mark_browser
from shuren.identity.views.entry import enter, visit_of
from shuren.identity.views.security import qr_picture
from shuren.identity.words import picture_name
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door


@never_cache
@require_GET
def class_cards(request: HttpRequest) -> HttpResponse:
    """The own classes of grades 1 and 2."""
    actor, now = actor_of(request), clock.now()
    rows = directory.enrollments_of_people([actor.person_id] if actor.person_id else [], day=clock.day_of(now))
    class_ids = [row.class_id for row in rows if row.role is EnrollmentRole.TEACHER]
    led = [key for key, leads in directory.class_teachers_of(class_ids).items() if actor.person_id in leads]
    classes = [org for org in directory.orgs_by_ids(led).values() if is_young(grade=org.grade, name=org.name)]
    return render(request, "identity/class_cards.html", {"classes": classes})


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@never_cache
@require_POST
def make_class_card(request: HttpRequest, org_id: str) -> HttpResponse:
    """Draw new pictures and show them this once, to be printed and cut."""
    card = pictures.make_class_card(actor=actor_of(request), class_id=ids.decode("org", org_id), now=clock.now())
    address = request.build_absolute_uri(reverse("identity:class_tiles", args=[card.code]))
    context = {"card": card, "address": address, "picture": qr_picture(address)}
    response = render(request, "identity/class_card.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@open_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def class_tiles(request: HttpRequest, code: str) -> HttpResponse:
    """In the classroom: find the own name, then three pictures in order."""
    visit, now = visit_of(request), clock.now()
    org, pupils = pictures.open_class(code=code, address=visit.address, now=now)
    context = {"org": org, "tiles": [(pupil.public_id, pupil.name) for pupil in pupils], "pictures": _grid()}
    if request.method != "POST":
        return mark_browser(request, render(request, "identity/class_tiles.html", context))
    person_id = ids.decode("person", request.POST.get("pupil", ""))
    chosen = pictures_in(request.POST.get("pictures", ""))
    outcome = pictures.check_pictures(code=code, person_id=person_id, pictures=chosen, visit=visit, now=now)
    if outcome.account_id is not None:
        account = Account.objects.with_person().get(pk=outcome.account_id)
        if actor_of(request).account_id is not None:
            return redirect("front:home")
        return enter(request, account, (SignInMethod.PICTURE,), next_url="/")
    is_locked = outcome.refusal is SignInRefusal.LOCKED
    text = _("错的次数太多了，请等几分钟，或者找老师帮忙。") if is_locked else _("图片不对，再试一次。")
    context |= {"refusal": text, "chosen_pupil": request.POST.get("pupil", "")}
    return render(request, "identity/class_tiles.html", context, status=429 if is_locked else 401)


def _grid() -> list[tuple[str, str]]:
    return [(picture, picture_name(picture)) for picture in PICTURES]
