"""Building forms and flows: by whoever may define, in their branch; strangers to it do not learn that it exists."""

from shuren.casework.data import DefinitionKind
from shuren.casework.services.builder.enforce import enforce_draft
from shuren.casework.services.builder.keep import begin_draft, save_definition_draft
from shuren.kernel import ids
from shuren.standards import api as standards
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, ROOT, Address, Area, act, form, page

BUILDER: dict[str, Address] = {
    "casework:definitions": page(MANAGERS),
    "casework:new_definition": form(MANAGERS),
    "casework:import_form": form(MANAGERS),
    "casework:definition_elements": page(MANAGERS),
    "casework:elements": page(MANAGERS),
    "casework:name_element_owner": form(ROOT, ROOT, element_code="element"),
    # Whoever belongs anywhere may object to a fact, as to any value that a form filled in.
    "casework:object_to_element": form(EVERYBODY, EVERYBODY, element_code="element"),
    "casework:definition": page(MANAGERS, ROOT, definition_id="definition"),
    "casework:copy_definition": form(MANAGERS, ROOT, definition_id="definition"),
    "casework:export_form": page(MANAGERS, ROOT, definition_id="definition"),
    "casework:edit_definition": act(MANAGERS, ROOT, definition_id="definition"),
    "casework:definition_draft": page(MANAGERS, ROOT, draft_id="draft"),
    "casework:drop_definition_draft": act(MANAGERS, ROOT, draft_id="draft"),
    "casework:enforce_definition_draft": act(MANAGERS, ROOT, draft_id="draft"),
    "casework:save_definition_draft": act(MANAGERS, ROOT, draft_id="draft"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A form in force and one that is being built, near and far, and an element, which is everybody's."""
    standards.load_registry()
    near, far = (_built(cast, *place) for place in (("school", "school_admin"), ("far_school", "province_officer")))
    return {"definition": (near[0], far[0]), "draft": (near[1], far[1]), "element": ("org.name", "org.name")}


def _built(cast: Cast, org: str, builder: str) -> tuple[str, str]:
    actor, org_id, now = cast.actor(builder), cast.orgs[org].id, cast.now
    sections = [{"key": "s1", "title": "基本", "fields": [{"key": "slope", "title": "坡道数", "type": "integer"}]}]
    drafts = [begin_draft(actor=actor, kind=DefinitionKind.FORM, org_id=org_id, title="登记", now=now) for _ in range(2)]
    for draft in drafts:
        save_definition_draft(actor=actor, draft_id=draft.pk, body={**draft.body, "sections": sections}, base_revision=1, now=now)
    done = enforce_draft(actor=actor, draft_id=drafts[0].pk, now=now)
    return ids.encode("definition", done.pk), ids.encode("definition_draft", drafts[1].pk)


AREA = Area(BUILDER, places)
