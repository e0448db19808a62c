"""Objecting to a value that a form filled in by itself."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shuren.casework.rules.specs.flow import FiledBy
from shuren.casework.selectors.cases import access_case, orgs_to_file_for
from shuren.casework.selectors.definitions import form_of
from shuren.casework.services.object_to_value import held_value, object_to_value
from shuren.casework.services.object_to_value import object_to_element as file_objection
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound, ShurenError
from shuren.pages.api import form_page, posted
from shuren.standards import api as standards


class ObjectionForm(forms.Form):
    proposed = forms.CharField(label=gettext_lazy("应当是"), max_length=500)
    reason = forms.CharField(label=gettext_lazy("依据"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


class ElementObjectionForm(ObjectionForm):
    """An objection that no form led to: what it is about is told as well."""

    org = forms.ChoiceField(label=gettext_lazy("以哪个单位提出"))
    whom = forms.CharField(
        label=gettext_lazy("说的是谁"), max_length=120, help_text=gettext_lazy("人员写姓名和编号，机构写名称。")
    )
    held = forms.CharField(label=gettext_lazy("现在的值"), max_length=500, required=False)
    field_order = ("whom", "held", "proposed", "reason", "org")

    def __init__(self, *args: object, orgs: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        self.fields["org"].choices = orgs  # type: ignore[attr-defined]
        if len(orgs) == 1:
            self.fields["org"].widget, self.initial["org"] = forms.HiddenInput(), orgs[0][0]


@never_cache
@require_http_methods(["GET", "POST"])
def object_to(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """Say what the value of `?field=` should be and why; the owner of the fact hears of it, and filling in goes on."""
    field = request.GET.get("field", "")
    actor, now = actor_of(request), clock.now()
    case = access_case(actor=actor, id=ids.decode("case", case_id), now=now)
    asked = form_of(case.form_version_id).field_named(field)
    held = held_value(case, field, now)
    if asked is None:
        raise NotFound(_("没有这一项。"))
    form = ObjectionForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            object_to_value(actor=actor, case_id=case.pk, field=field, now=now, **form.cleaned_data)
        except ShurenError as error:
            form.add_error(None, str(error))
            status = error.status
        else:
            messages.success(request, _("已提交给负责单位核实，填报可以继续。"))
            return redirect("casework:case", case_id=case_id)
    context = {
        "title": _("对“%(name)s”提出异议") % {"name": asked.title},
        "form": form,
        "submit_label": _("提交给负责单位"),
        "cancel_url": reverse("casework:case", args=[case_id]),
        "lead": _("现在的值来自%(source)s。改正以后，所有表格里的这一项一起改。") % {"source": held.source},
    }
    return render(request, "front/form.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def object_to_element(request: HttpRequest, element_code: str) -> HttpResponseBase:
    """Object to what the one source of an element says: where a door refused a value of it."""
    actor, now = actor_of(request), clock.now()
    element = standards.element(element_code)
    filed_by = FiledBy(anyone=True)
    orgs = {org.public_id: org for org in orgs_to_file_for(actor=actor, filed_by=filed_by, now=now)}
    if not orgs:
        raise NotFound(_("没有找到这个数据元。"))
    told = directory.told_of(element, standards.producers_of([element.code]).get(element.code))
    form = ElementObjectionForm(posted(request), orgs=[(key, org.name) for key, org in orgs.items()])

    def save() -> str:
        said = {key: value for key, value in form.cleaned_data.items() if key != "org"}
        org = orgs[form.cleaned_data["org"]]
        case = file_objection(actor=actor, element_code=element.code, org_id=org.id, now=now, **said)
        return reverse("casework:case", args=[ids.encode("case", case.pk)])

    name = element.name(get_language() or "")
    return form_page(
        request,
        form,
        save,
        title=_("对“%(name)s”提出异议") % {"name": name},
        submit=_("提交给负责单位"),
        back=reverse("front:home"),
        lead=_("“%(name)s”由%(owner)s统一产生（来自%(place)s），别处不能另写。说明哪里不对，负责单位核实后答复。")
        % {"name": name, "owner": told.owner, "place": told.comes_from},
        done=_("已提交给负责单位核实。"),
    )
