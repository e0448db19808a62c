"""The pages on which something is filled in, or searched for and picked, and then done."""

from collections.abc import Callable, Mapping, Sequence

from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shuren.directory.data import OrgData, OrgType, Permission, PersonData
from shuren.directory.selectors.choices import Choices, OrgChoice, org_choice, orgs_to_choose
from shuren.directory.selectors.orgs import access_org
from shuren.directory.selectors.scope import scope_of
from shuren.directory.views.asked import actor_in, now, org_id_in
from shuren.directory.views.org_pages import trail
from shuren.directory.views.person_sections import person_url
from shuren.kernel.errors import NotFound, ShurenError
from shuren.pages.api import is_partial
from shuren.pages.data import EmptyState

_LONGEST_SEARCH = 60
_NO_FIELDS: Mapping[type[ShurenError], str] = {}


def form_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str | HttpResponseBase],
    *,
    title: str,
    submit: str,
    back: str,
    lead: str = "",
    is_danger: bool = False,
    chain: Sequence[OrgData] = (),
    person: PersonData | None = None,
    crumb: str = "",
    template: str = "front/form.html",
    more: Mapping[str, object] | None = None,
    fields: Mapping[type[ShurenError], str] = _NO_FIELDS,
) -> HttpResponseBase:
    """Show a form; on a good POST save it and go where `save` says, or show what it answers.

    What a rule refuses is shown above the form, and at a field where `fields` names one for this kind of error. A POST
    whose `step` is `change` comes back from a page that asked once more: it only shows the form again.
    """
    status = 200
    if request.method == "POST" and request.POST.get("step") != "change" and form.is_valid():
        try:
            answer = save()
        except NotFound:
            raise
        except ShurenError as error:
            form.add_error(fields.get(type(error)), str(error))
            status = error.status
        else:
            return redirect(answer) if isinstance(answer, str) else answer
    context = {
        "title": title,
        "form": form,
        "submit_label": submit,
        "cancel_url": back,
        "lead": lead,
        "is_danger": is_danger,
        "breadcrumbs": _crumbs(request, chain, person, crumb or submit),
        **(more or {}),
    }
    return render(request, template, context, status=status)


def end_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str | HttpResponseBase],
    *,
    title: str,
    submit: str,
    person: PersonData,
    consequences: Sequence[str],
) -> HttpResponseBase:
    """Where a role, a class or a guardianship of `person` is ended; `consequences` say what ends with it and what stays."""
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=submit,
        back=person_url(person.public_id),
        person=person,
        is_danger=True,
        template="directory/end.html",
        more={"consequences": consequences},
    )


def person_trail(person: PersonData, here: str) -> list[dict[str, str]]:
    """The way by a person to what is done here."""
    return [
        {"label": _("人员"), "url": reverse("directory:people")},
        {"label": person.name, "url": person_url(person.public_id)},
        {"label": here, "url": ""},
    ]


def _crumbs(request: HttpRequest, chain: Sequence[OrgData], person: PersonData | None, here: str) -> list[dict[str, str]]:
    if person is not None:
        return person_trail(person, here)
    return trail(chain, scope_of(actor=actor_in(request), permission=Permission.VIEW_ORGS, now=now())) if chain else []


def search_in(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:_LONGEST_SEARCH]


def choose_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str | HttpResponseBase],
    *,
    search_label: str,
    found: int,
    has_more: bool,
    nothing: EmptyState,
    more: Mapping[str, object] | None = None,
    **page: object,
) -> HttpResponseBase:
    """A form beneath a search; while one types only the part with the form is sent. `nothing` says what to do without hits."""
    template = "directory/_found.html" if is_partial(request) else "directory/choose.html"
    context = {
        "asked": search_in(request),
        "search_label": search_label,
        "found": found,
        "has_more": has_more,
        "nothing": nothing,
        **(more or {}),
    }
    return form_page(request, form, save, template=template, more=context, **page)  # type: ignore[arg-type]  # as form_page takes them


def option(name: str, note: str, *others: str) -> SafeString:
    """One thing to pick: its name, what is said beside it, and lines below."""
    lines = format_html_join("", '<br><span class="muted small">{}</span>', ((line,) for line in others if line))
    return format_html('<span>{} <span class="muted">{}</span>{}</span>', name, note, lines)


def org_choices(
    request: HttpRequest, types: Sequence[OrgType], near: Sequence[str], *, taught: bool | None = False
) -> tuple[Choices[OrgChoice], dict[str, OrgChoice]]:
    """The orgs one may pick among those one manages, by public id; what was picked before is always among them."""
    actor, moment = actor_in(request), now()
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=moment)
    found = orgs_to_choose(scope=scope, types=types, search=search_in(request), near=near, taught=taught)
    offered = {choice.org.public_id: choice for choice in found.rows}
    picked = request.POST.get("pick") or request.GET.get("pick", "")
    if picked and picked not in offered:
        try:
            org = access_org(actor=actor, id=org_id_in(picked), permission=Permission.MANAGE_PEOPLE, now=moment)
        except NotFound:
            return found, offered
        if org.type in types:
            offered = {picked: org_choice(org), **offered}
    return found, offered


def asked_pick(request: HttpRequest, offered: Mapping[str, object]) -> str:
    """What the address asks for, or the only thing there is."""
    return request.GET.get("pick", "") or (next(iter(offered)) if len(offered) == 1 else "")
