"""Pages that change people: add, correct; and what to do with likely doubles."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.data import Permission, Role, Sex
from shuren.directory.forms import CorrectPersonForm, NewPersonForm
from shuren.directory.rules.permissions import STRONG, roles_at
from shuren.directory.selectors.duplicates import PairRow, page_of_pairs, pair_row_for
from shuren.directory.selectors.org_list import org_page
from shuren.directory.selectors.people import people_by_ids
from shuren.directory.selectors.person_detail import person_detail
from shuren.directory.services.correct_person import correct_person as correct
from shuren.directory.services.decide_duplicate import dismiss_duplicate, merge_people
from shuren.directory.services.enter_person import enter_person
from shuren.directory.views.asked import actor_in, now, org_id_in, pair_id_in, person_id_in, posted
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.org_forms import warn
from shuren.directory.views.org_pages import org_url
from shuren.directory.views.person_sections import person_url
from shuren.directory.views.words import EVIDENCE, ROLES, SEXES, WAITS
from shuren.kernel.errors import NotFound

_SEXES = [(sex.value, SEXES[sex]) for sex in Sex]


def add_person(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor = actor_in(request)
    facts, scopes = org_page(actor=actor, id=org_id_in(public_id), permissions=(Permission.MANAGE_PEOPLE,), now=now())
    if not scopes[Permission.MANAGE_PEOPLE].covers(facts.org.path):
        raise NotFound(_("没有找到这个机构。"))
    roles = [(role.value, ROLES[role]) for role in roles_at(facts.org.type)]
    form = NewPersonForm(posted(request), sexes=_SEXES, roles=roles)

    def save() -> str:
        role = Role(form.cleaned_data["role"])
        written = enter_person(actor=actor, person=form.new_person(), org_id=facts.org.id, role=role, now=now())
        warn(request, written)
        person = people_by_ids([written.id])[written.id]
        messages.success(request, _("已登记，人员编号 %(number)s。") % {"number": person.number})
        if role in STRONG:
            messages.info(request, WAITS)
        return person_url(person.public_id)

    title = _("在“%(name)s”登记人员") % {"name": facts.org.name}
    return form_page(request, form, save, title=title, submit=_("登记"), back=org_url(facts.org), chain=facts.chain)


def correct_person(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, person_id = actor_in(request), person_id_in(public_id)
    detail = person_detail(actor=actor, id=person_id, now=now())
    if not detail.may_manage:
        raise NotFound(_("没有找到这个人。"))
    # What is not told whole, such as a number that states the citizen id, is not sent; an empty field leaves it as it is.
    hidden = {key for key, told in detail.private.items() if told.reason is not None}
    shown = {key: "" if key in hidden else told.text for key, told in detail.private.items()}
    initial = {"name": detail.person.name, "sex": detail.person.sex.value, **shown}
    form = CorrectPersonForm(posted(request), initial=initial, sexes=_SEXES)
    for key in hidden:
        form.fields[key].help_text = _("已登记，这里不显示。不改动就留空。")

    def save() -> str:
        reason = form.cleaned_data["reason"]
        changes = {key: value for key, value in form.changes().items() if value or key not in hidden}
        warn(request, correct(actor=actor, person_id=person_id, changes=changes, reason=reason, now=now()))
        messages.success(request, _("已保存。改动过的编号留在曾用编号里。"))
        return person_url(public_id)

    title = _("更正“%(name)s”的信息") % {"name": detail.person.name}
    return form_page(request, form, save, title=title, submit=_("保存更正"), back=person_url(public_id), person=detail.person)


def duplicates(request: HttpRequest) -> HttpResponseBase:
    number = request.GET.get("page", "1")
    page = page_of_pairs(actor=actor_in(request), number=int(number) if number.isdecimal() else 1, size=10, now=now())
    shown = [(pair, [EVIDENCE.get(mark, mark) for mark in pair.marks], _sides(pair)) for pair in page.rows]
    return render(request, "directory/duplicates.html", {"page": page, "pairs": shown})


@require_POST
def merge_duplicate(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    pair = pair_row_for(actor=actor, id=pair_id_in(public_id), now=moment)
    keep_id = person_id_in(request.POST.get("keep", ""))
    if keep_id not in (pair.first_id, pair.second_id):
        raise NotFound(_("没有找到这个人。"))
    drop_id = pair.second_id if keep_id == pair.first_id else pair.first_id
    merge_people(actor=actor, keep_id=keep_id, drop_id=drop_id, reason=request.POST.get("reason", ""), now=moment)
    messages.success(request, _("已合并，原编号可继续用来查找。"))
    return redirect("directory:duplicates")


@require_POST
def dismiss(request: HttpRequest, public_id: str) -> HttpResponseBase:
    dismiss_duplicate(actor=actor_in(request), pair_id=pair_id_in(public_id), now=now())
    messages.success(request, _("已记为不同的两个人，以后不再提示。"))
    return redirect("directory:duplicates")


def _sides(pair: PairRow) -> list[tuple[str, list[object]]]:
    """What stands side by side: the fact's name, then its value on either side."""
    first, second = pair.first, pair.second
    return [
        (_("姓名"), [first.name, second.name]),
        (_("人员编号"), [first.number, second.number]),
        (_("性别"), [SEXES[first.sex], SEXES[second.sex]]),
        (_("出生日期"), [first.birth_date, second.birth_date]),
        (_("学籍号"), [first.pupil_number, second.pupil_number]),
        (_("所在机构"), [first.places, second.places]),
    ]
