"""The hall: open to strangers where it informs, to applicants for their own cases, to offices for what they look after."""

from dataclasses import replace
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

import yaml

from shuren.casework.data import CaseState, DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, Definition, DefinitionVersion, Draw, Entry, Outward, Rating, WindowApplicant
from shuren.casework.services.cases.file import file_case
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from tests.cast import Cast
from tests.house.access.frame import (
    EVERYBODY,
    MANAGERS,
    OFFICERS,
    ROOT,
    Address,
    Area,
    act,
    form,
    page,
    public,
    roles,
)

READERS = MANAGERS | roles("head")
_PACK = Path(__file__).parents[3] / "packs" / "gov"

HALL: dict[str, Address] = {
    "casework:hall": public("GET"),
    "casework:hall_item": replace(page(EVERYBODY, EVERYBODY, item_key="item"), stranger=200),
    "casework:hall_progress": public("GET", "POST"),
    "casework:hall_catchments": public("GET"),
    "casework:hall_rate_by_code": public("GET", "POST"),
    "casework:hall_ratings": public("GET"),
    "casework:hall_open": public("GET"),
    "casework:hall_answer": replace(page(EVERYBODY, EVERYBODY, entry_id="answer"), stranger=200),
    "casework:hall_consultation": replace(page(EVERYBODY, EVERYBODY, entry_id="consultation"), stranger=200),
    "casework:hall_apply": form(EVERYBODY, EVERYBODY, item_key="item"),
    "casework:hall_mine": page(EVERYBODY),
    "casework:hall_case": page(roles("pupil parent"), case_id="hall_case"),
    "casework:hall_rate": form(roles("pupil parent"), case_id="hall_case"),
    "casework:hall_receipt": page(roles("pupil parent"), case_id="hall_case"),
    "casework:hall_withdraw": form(roles("parent"), case_id="hall_case"),
    "casework:hall_certificates": page(OFFICERS),
    "casework:hall_manage_ratings": page(READERS),
    "casework:hall_rating": page(READERS, ROOT, rating_id="hall_rating"),
    "casework:hall_exclude_rating": form(roles("city_officer province_officer"), ROOT, rating_id="hall_rating"),
    "casework:hall_window": page(OFFICERS),
    "casework:hall_window_item": form(OFFICERS, OFFICERS, item_key="item"),
    "casework:hall_window_case": page(OFFICERS, ROOT, case_id="window_case"),
    "casework:hall_window_cases": page(OFFICERS),
    "casework:hall_window_contact": act(OFFICERS, ROOT, case_id="window_case"),
    "casework:hall_window_receipt": page(OFFICERS, ROOT, case_id="window_case"),
    "casework:hall_admissions": page(OFFICERS),
    "casework:hall_admission": form(OFFICERS, ROOT, org_id="hall_school"),
    "casework:hall_admit_drawn": replace(act(READERS, ROOT, draw_id="hall_draw"), granted=frozenset({409})),
    "casework:hall_outward": page(roles("system_admin")),
    "casework:hall_retry_outward": replace(
        act(roles("system_admin"), roles("system_admin"), message_id="message"), granted=frozenset({302})
    ),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A case of a pupil, a case of the window, a rating, a draw and published words near and far."""
    for name in ("enrolment_proof", "consultation", "answers", "consultations"):
        for kind in ("form", "flow", "item", "register"):
            path = _PACK / f"{kind}s" / f"{name}.yaml"
            if path.exists():
                _defined(cast, kind, yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    found: dict[str, list[str]] = {}
    for place, number in ((("school", "pupil", "parent"), 1), (("far_school", "far_pupil", "far_parent"), 2)):
        for kind, value in _placed(cast, *place, number).items():
            found.setdefault(kind, []).append(value)
    return {kind: (near, far) for kind, (near, far) in found.items()}


def _placed(cast: Cast, school: str, pupil: str, parent: str, number: int) -> dict[str, str]:
    org, person = cast.orgs[school], cast.people[pupil]
    item = Definition.objects.get(kind="item", key="gov.enrolment_proof")
    flow = "gov.enrolment_proof"
    told: dict[str, Any] = {"actor": SYSTEM, "flow": flow, "org_id": org.id, "item_id": item.pk, "now": cast.now}
    case = file_case(subject_person_id=person.id, **told)
    window = file_case(**told)
    Case.objects.filter(pk__in=(case.pk, window.pk)).update(
        state=CaseState.RETURNED.value, submitted_at=cast.now, due_at=cast.now
    )
    Case.objects.filter(pk=case.pk).update(filer_id=cast.people[parent].id)
    WindowApplicant.objects.create(
        case=window, name_masked="钱**", phone_masked="139****5678", told_sealed=_sealed(), filed_at=cast.now
    )
    rating = Rating.objects.create(case=window, item=item, org_path=org.path, satisfaction="1", rated_at=cast.now)
    draw = Draw.objects.create(
        title="摇号",
        purpose="lottery",
        org_id=org.id,
        org_path=org.path,
        state="preparing",
        made_at=cast.now,
        rules={"kind": "lottery"},
    )
    message = Outward.objects.create(
        platform="government", kind="rating", subject=f"case:{number}", payload={}, state="recorded", made_at=cast.now
    )
    return {
        "item": "gov.enrolment_proof" if number == 1 else "gov.consultation",
        "hall_case": ids.encode("case", case.pk),
        "window_case": ids.encode("case", window.pk),
        "hall_rating": ids.encode("rating", rating.pk),
        "hall_school": org.public_id,
        "hall_draw": ids.encode("draw", draw.pk),
        "message": ids.encode("outward", message.pk),
        "answer": _entry(cast, "gov.answers", number, {"title": "问答"}),
        "consultation": _entry(cast, "gov.consultations", number, {"title": "方案"}),
    }


def _sealed() -> bytes:
    return trust.seal(dumps({"name": "钱多多", "phone": "13912345678"}).encode(), purpose="casework.window_applicant")


def _defined(cast: Cast, kind: str, body: dict[str, Any]) -> None:
    made = Definition.objects.create(
        kind=DefinitionKind(kind).value, key=body["key"], title_zh=body["title"]["zh"], status=DefinitionStatus.IN_FORCE.value
    )
    digest = sha256(dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    made.current = DefinitionVersion.objects.create(definition=made, number=1, body=body, digest=digest, made_at=cast.now)
    made.save()


def _entry(cast: Cast, register: str, number: int, data: dict[str, Any]) -> str:
    county = cast.orgs["county"]
    made = Entry.objects.create(
        register=Definition.objects.get(kind="register", key=register),
        org_id=county.id,
        org_path=county.path,
        label=data["title"],
        identity=f"{number}",
        state="published",
        data=data,
        made_at=cast.now,
        changed_at=cast.now,
    )
    return ids.encode("entry", made.pk)


AREA = Area(addresses=HALL, places=places)
