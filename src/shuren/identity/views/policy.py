"""What roles must show, and the networks of schools."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.directory.data import Role
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose, Requirement
from shuren.identity.forms.policy import NetworksForm, PolicyForm
from shuren.identity.rules import factors
from shuren.identity.selectors.factors import policies
from shuren.identity.selectors.places import networks_of_school
from shuren.identity.services import policy
from shuren.identity.words import REQUIREMENT_NAMES, role_name
from shuren.kernel import clock, ids
from shuren.kernel.errors import Invalid


@never_cache
@require_GET
def sign_in_policy(request: HttpRequest) -> HttpResponse:
    policy.check_policy_right(actor=actor_of(request), now=clock.now())
    written = policies()
    rows = []
    for role in Role:
        row = written.get(role)
        wanted = Requirement(row.requirement) if row else factors.DEFAULT_REQUIREMENTS[role]
        rows.append({"role": role.value, "name": role_name(role), "requirement": wanted.value, "row": row})
    choices = [(key.value, str(name)) for key, name in REQUIREMENT_NAMES.items()]
    context = {"rows": rows, "choices": choices, "grace": factors.GRACE.days}
    return render(request, "identity/sign_in_policy.html", context)


@require_step_up(Purpose.SIGN_IN_POLICY)
@require_POST
def set_policy(request: HttpRequest) -> HttpResponse:
    policy.check_policy_right(actor=actor_of(request), now=clock.now())
    form = PolicyForm(request.POST)
    try:
        if not form.is_valid():
            raise ValueError
        role, requirement = Role(form.cleaned_data["role"]), Requirement(form.cleaned_data["requirement"])
    except ValueError as fault:
        raise Invalid(_("没有这种登录要求。")) from fault
    policy.set_policy(
        actor=actor_of(request), role=role, requirement=requirement, grace_days=form.cleaned_data["grace_days"], now=clock.now()
    )
    messages.success(request, _("%(role)s的登录要求已修改。") % {"role": role_name(role)})
    return redirect("identity:sign_in_policy")


@require_step_up(Purpose.SIGN_IN_POLICY)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def school_networks(request: HttpRequest, org_id: str) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    org = policy.access_school_network(actor=actor, id=ids.decode("org", org_id), now=now)
    standing = {"networks": "\n".join(networks_of_school(org.id))}
    form = NetworksForm(request.POST if request.method == "POST" else None, initial=standing)
    if request.method == "POST" and form.is_valid():
        try:
            policy.set_school_networks(actor=actor, org_id=org.id, text=form.cleaned_data["networks"], now=now)
        except Invalid as error:
            form.add_error("networks", str(error))
        else:
            messages.success(request, _("校内网络地址已保存。"))
            return redirect("identity:school_networks", org_id=org_id)
    context = {"form": form, "title": _("校内网络"), "lead": org.name, "submit_label": _("保存校内网络")}
    return render(request, "front/form.html", context, status=400 if form.errors else 200)
