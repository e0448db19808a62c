"""The data elements of the region, and who answers for each."""

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.rules.specs.form import FieldType
from shuren.casework.selectors.elements import ElementRow, access_element, may_name_owners, page_of_elements
from shuren.casework.selectors.parties import parties_like
from shuren.casework.views.builder_forms import Choices
from shuren.casework.views.builder_pages import check_builder, list_url
from shuren.casework.views.builder_words import kinds_of_fields
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import Page
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, Choice, Column, Filter, ListQuery, ListSpec
from shuren.standards import api as standards
from shuren.standards.data import Grade

_GRADES = {
    Grade.PUBLIC: gettext_lazy("公开"),
    Grade.INTERNAL: gettext_lazy("内部"),
    Grade.PERSONAL: gettext_lazy("个人信息"),
    Grade.SENSITIVE: gettext_lazy("敏感个人信息"),
}


class OwnerForm(forms.Form):
    """One of the orgs that were found, or none."""

    org = forms.ChoiceField(label=gettext_lazy("负责单位"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args: object, orgs: Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        self.fields["org"].choices = [("", _("不指定")), *orgs]  # type: ignore[attr-defined]


@never_cache
@require_safe
def elements(request: HttpRequest) -> HttpResponseBase:
    """What facts there are, where each is asked and who answers for it, for whoever builds."""
    actor, now, language = actor_of(request), clock.now(), get_language() or ""
    check_builder(actor, now)
    types = dict(kinds_of_fields())

    def rows(query: ListQuery) -> Page[ElementRow]:
        has_owner = {"1": True, "0": False}.get(query.filters.get("owner", ""))
        grade = query.filters.get("grade", "")
        return page_of_elements(search=query.search, grade=grade, has_owner=has_owner, number=query.number, size=query.size)

    def actions(row: ElementRow) -> tuple[Action, ...]:
        url = reverse("casework:name_element_owner", args=[row.element.code])
        return (Action(label=_("指定负责单位"), url=url, icon="building"),)

    spec: ListSpec[ElementRow] = ListSpec(
        name="elements",
        title=_("数据元"),
        columns=(
            Column(key="name", title=_("名称"), value=lambda row: row.element.name(language)),
            Column(key="code", title=_("代号"), value=lambda row: row.element.code),
            Column(key="type", title=_("类型"), value=lambda row: types[row.element.type.value]),
            Column(key="grade", title=_("分级"), value=lambda row: f"{row.element.grade} {_GRADES[row.element.grade]}"),
            Column(key="source", title=_("在哪里采集"), value=lambda row: row.source or _("用到时填写")),
            Column(key="department", title=_("产生部门"), value=lambda row: row.element.department or None),
            Column(key="owner", title=_("负责单位"), value=lambda row: row.owner.name if row.owner else None),
        ),
        rows=rows,
        filters=(
            Filter(
                key="grade",
                label=_("分级"),
                choices=tuple(Choice(value=one.value, label=f"{one} {words}") for one, words in _GRADES.items()),
            ),
            Filter(
                key="owner",
                label=_("负责单位"),
                choices=(Choice(value="1", label=_("已指定")), Choice(value="0", label=_("未指定"))),
            ),
        ),
        search_label=_("名称、代号或部门"),
        note=_("对某项数据有异议时，由它的负责单位核实；没有指定的，由数据来源的维护人核实。"),
        row_actions=actions if may_name_owners(actor=actor, now=now) else None,
        actions=(Action(label=_("表单与流程"), url=list_url(), icon="forms"),),
    )
    return render_list(request, spec)


@never_cache
@require_http_methods(["GET", "POST"])
def name_owner(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """Search an org, pick it; or pick none, and the keepers of the source are asked again."""
    actor, now = actor_of(request), clock.now()
    element = access_element(actor=actor, code=element_code, now=now)
    asked = request.GET.get("q", "").strip()[:60]
    owner = directory.orgs_by_ids([element.owner_org_id]).get(element.owner_org_id) if element.owner_org_id else None
    found = parties_like(actor=actor, kind=FieldType.ORG, words=asked, now=now)
    orgs = {owner.public_id: owner.name} if owner else {}
    orgs |= {one.id: f"{one.name}（{one.note}）" if one.note else one.name for one in found}
    form = OwnerForm(posted(request), orgs=list(orgs.items()), initial={"org": owner.public_id if owner else ""})

    def save() -> str:
        picked = form.cleaned_data["org"]
        org_id = ids.decode("org", picked) if picked else None
        standards.set_owner(actor=actor, element_code=element.code, org_id=org_id, now=now)
        return reverse("casework:elements")

    title, back = _("指定负责单位"), reverse("casework:elements")
    name = element.name(get_language() or "")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存"),
        back=back,
        lead=_("“%(name)s”（%(code)s）有异议时由谁核实。") % {"name": name, "code": element.code},
        done=_("“%(name)s”的负责单位已保存。") % {"name": name},
        breadcrumbs=[
            {"label": _("表单与流程"), "url": list_url()},
            {"label": _("数据元"), "url": back},
            {"label": title, "url": ""},
        ],
        template="casework/element_owner.html",
        more={"asked": asked, "has_found": bool(found)},
    )
