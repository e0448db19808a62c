"""Templates made, changed into a new version, and retired."""

import io
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from shuren.certificates.data import NewTemplate, TemplateStatus
from shuren.certificates.models import Template, TemplateVersion
from shuren.certificates.rules.wording import check_template
from shuren.certificates.selectors.templates import access_template, current_of
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid

MAX_IMAGE_BYTES = 2 * 1024 * 1024
MAX_IMAGE_SIDE = 4_000
_PRINTED_SIDE = 900


@transaction.atomic
def add_template(*, actor: Actor, org_id: int, template: NewTemplate, now: datetime) -> int:
    """Make a template of an org where the actor gives certificates; publishes `certificates.template_added`."""
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.ISSUE_CERTIFICATES, now=now)
    check_template(template)
    row = Template.objects.create(org_id=org.id, org_path=org.path, kind=template.kind.value, name=template.name, changed_at=now)
    _add_version(row, template, number=1, image=checked_image(template.image), actor=actor, now=now)
    _tell("certificates.template_added", row, actor, now)
    return row.pk


@transaction.atomic
def change_template(*, actor: Actor, template_id: int, template: NewTemplate, now: datetime) -> int:
    """Make the next version; certificates given before keep theirs. Without an image the former one stays.

    Publishes `certificates.template_changed`; returns the number of the version.
    """
    check_template(template)
    access_template(actor=actor, id=template_id, now=now)
    row = Template.objects.select_for_update().get(pk=template_id)
    former = TemplateVersion.objects.filter(template=row).latest("number")
    if row.status == TemplateStatus.RETIRED:
        raise Conflict(_("这个模板已停用，不能再改。"), remedy=_("请新建一个模板。"))
    if row.kind != template.kind:
        raise Invalid(_("证书的类别不能改。"), remedy=_("请新建一个模板。"))
    image = checked_image(template.image) if template.image else bytes(former.image or b"")
    row.name, row.changed_at = template.name, now
    _add_version(row, template, number=former.number + 1, image=image, actor=actor, now=now)
    _tell("certificates.template_changed", row, actor, now)
    return former.number + 1


@transaction.atomic
def retire_template(*, actor: Actor, template_id: int, now: datetime) -> None:
    """Give no more with it; publishes `certificates.template_retired`. What was given stays as it is."""
    row = access_template(actor=actor, id=template_id, now=now)
    if row.status == TemplateStatus.RETIRED:
        raise Conflict(_("这个模板已经停用。"))
    row.status, row.changed_at = TemplateStatus.RETIRED.value, now
    row.save(update_fields=["status", "changed_at"])
    _tell("certificates.template_retired", row, actor, now)


def checked_image(data: bytes) -> bytes:
    """The picture drawn anew as PNG, so that nothing but its pixels is kept; empty stays empty."""
    if not data:
        return b""
    remedy = _("请上传 2 MB 以内的 PNG 或 JPG 图片。")
    if len(data) > MAX_IMAGE_BYTES:
        raise Invalid(_("图片太大。"), remedy=remedy)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if max(picture.size) > MAX_IMAGE_SIDE:
                raise Invalid(_("图片太大。"), remedy=_("宽和高都不要超过 4000 点。"))
            drawn = picture.convert("RGBA")
            drawn.thumbnail((_PRINTED_SIDE, _PRINTED_SIDE))
            stream = io.BytesIO()
            drawn.save(stream, "PNG")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid(_("这不是图片，或图片已损坏。"), remedy=remedy) from error
    return stream.getvalue()


def _add_version(row: Template, template: NewTemplate, *, number: int, image: bytes, actor: Actor, now: datetime) -> None:
    version = TemplateVersion.objects.create(
        template=row,
        number=number,
        name=template.name,
        name_en=template.name_en,
        criteria=template.criteria,
        wording=template.wording,
        layout=template.layout.value,
        seal_text=template.seal_text,
        valid_months=template.valid_months,
        levels=list(template.levels),
        fields=list(template.fields),
        image=image or None,
        made_at=now,
        made_by_name=actor.name[:100],
    )
    row.current = version
    row.save()


def _tell(event: str, row: Template, actor: Actor, now: datetime) -> None:
    facts = {"template_id": row.pk, "org_id": row.org_id, "version": current_of(row).number}
    audit.record(actor=actor, action=event, target=f"template:{row.pk}", details={**facts, "name": row.name}, now=now)
    events.publish(event, facts, now=now)
