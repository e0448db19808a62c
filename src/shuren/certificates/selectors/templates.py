"""Templates: those an org may give with, and those one may change."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from shuren.certificates.data import TemplateStatus
from shuren.certificates.models import Template, TemplateVersion
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q


def is_usable_at(template: Template, org: OrgData) -> bool:
    """Whether `org` may give with it: its own, or one of an org above that names this level."""
    if template.status != TemplateStatus.ACTIVE or template.current is None:
        return False
    return template.org_id == org.id or (org.path.startswith(template.org_path) and org.type.value in template.current.levels)


def usable_templates(org: OrgData) -> list[Template]:
    """By name; costs one query however many templates the region has."""
    above = [int(part) for part in org.path.strip("/").split("/")]
    rows = Template.objects.filter(org_id__in=above, status=TemplateStatus.ACTIVE).select_related("current", "org")
    return sorted((row for row in rows if is_usable_at(row, org)), key=lambda row: (row.name, row.pk))


def template_for_giving(*, org: OrgData, id: int) -> Template:
    row = Template.objects.select_related("current").filter(pk=id).first()
    if row is None or not is_usable_at(row, org):
        raise NotFound(_("没有找到这个证书模板。"))
    return row


def templates_in_scope(*, actor: Actor, status: str = "", search: str = "", now: datetime) -> QuerySet[Template]:
    """Templates of the branches where the actor gives certificates, newest change first."""
    scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CERTIFICATES, now=now)
    rows = (
        Template.objects.filter(path_q("org_path", scope.paths)).select_related("current", "org").order_by("-changed_at", "-id")
    )
    if status:
        rows = rows.filter(status=status)
    return rows.filter(name__contains=search) if search else rows


def access_template(*, actor: Actor, id: int, now: datetime) -> Template:
    """The template, for those who give certificates at its org; otherwise `NotFound`."""
    row = Template.objects.select_related("current", "org").filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CERTIFICATES, now=now)
    if row is None or row.current is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这个证书模板。"))
    return row


def current_of(template: Template) -> TemplateVersion:
    assert template.current is not None
    return template.current


def versions_of(template: Template) -> list[TemplateVersion]:
    return list(TemplateVersion.objects.filter(template=template).order_by("-number")[:100])


def addresses_for_missing(names: Collection[str], *, actor: Actor, now: datetime) -> dict[str, str]:
    """The names that no template in use has at or above the branch where the actor gives; with where one is made there.

    Announced to `casework` as what its cases may end with. Empty for whoever gives nowhere.
    """
    scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CERTIFICATES, now=now)
    if not scope.paths:
        return {}
    path = min(scope.paths, key=len)
    above = [int(part) for part in path.strip("/").split("/")]
    rows = Template.objects.filter(org_id__in=above, status=TemplateStatus.ACTIVE, name__in=list(names))
    missing = set(names) - set(rows.values_list("name", flat=True))
    url = reverse("certificates:add_template", args=[ids.encode("org", above[-1])])
    return {name: f"{url}?{urlencode({'name': name})}" for name in missing}
