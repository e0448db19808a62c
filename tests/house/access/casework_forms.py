"""Files of cases and entries, and whom a form may name."""

from shuren.casework.models import Attachment, Case, Definition, DefinitionVersion
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, NOBODY, Address, Area, page, roles

ADDRESSES: dict[str, Address] = {
    # The file of a draft: its filer's, and of colleagues who may fill it in; the bytes of the test are not there.
    "casework:attachment": page(roles("school_admin"), NOBODY, granted=404, attachment_id="attachment"),
    "casework:form_worker": page(EVERYBODY),
    "casework:parties": page(EVERYBODY, granted=404),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    form = Definition.objects.create(kind="form", key="access.form", title_zh="样表", status="in_force")
    body = {"key": "access.form", "title": "样表", "sections": [{"key": "s", "title": "一", "fields": []}]}
    form.current = DefinitionVersion.objects.create(definition=form, number=1, body=body, digest="0" * 64, made_at=cast.now)
    form.save()
    found = []
    for org, filer in (("school", "school_admin"), ("far_school", "far_head")):
        case = Case.objects.create(
            number=f"ACCESS-{org}",
            title="样表",
            form_version=form.current,
            definition=form,
            state="draft",
            org_id=cast.orgs[org].id,
            org_path=cast.orgs[org].path,
            filer_id=cast.people[filer].id,
            filed_at=cast.now,
            changed_at=cast.now,
        )
        row = Attachment.objects.create(
            case=case, field="photos", name="图.png", media_type="image/png", size=1, sha256="0" * 64, added_at=cast.now
        )
        found.append(ids.encode("attachment", row.pk))
    return {"attachment": (found[0], found[1])}


AREA = Area(ADDRESSES, places)
