"""Consent and emergencies: what families decide, what schools ask, what is opened and looked into."""

from datetime import timedelta

from django.apps import apps

from shuren.directory import api as directory
from shuren.directory.data import NewConsentText
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, ROOT, Address, Area, act, form, page, roles

ANSWERERS = MANAGERS | roles("head")
OPENERS = roles("head county_officer city_officer province_officer")

CONSENT: dict[str, Address] = {
    "directory:consents": page(EVERYBODY),
    "directory:consent_texts": page(EVERYBODY),
    "directory:consent_text": page(ANSWERERS, ROOT, text_id="consent_text"),
    "directory:end_consent_text": act(ANSWERERS, ROOT, text_id="consent_text"),
    "directory:add_consent_text": form(ANSWERERS, ROOT, public_id="org"),
    "directory:decide_consent": act(EVERYBODY, EVERYBODY, denied=400, public_id="person", text_id="consent_text"),
    "directory:my_data": page(EVERYBODY),
    "casework:ask_about_data": act(roles("pupil parent"), person_id="person"),
    "directory:download_data": act(roles("pupil parent"), public_id="person"),
    "directory:break_glass_list": page(EVERYBODY),
    "directory:open_break_glass": form(OPENERS),
    "directory:break_glass": form(roles("head security_admin"), roles("security_admin"), glass_id="glass"),
    "directory:close_break_glass": act(roles("head"), glass_id="glass"),
    "directory:certify_grants": page(EVERYBODY),
    "directory:keep_grants": act(EVERYBODY),
    "directory:confirm_grant": act(MANAGERS | roles("head"), ROOT, public_id="grant"),
}


def consent_places(cast: Cast) -> dict[str, tuple[str, str]]:
    def notice(org: str) -> str:
        text = NewConsentText(
            org_id=cast.orgs[org].id, purpose="homework", elements=("person.name",), title_zh="作业", body_zh="布置作业。"
        )
        return ids.encode("consent_text", directory.publish_consent_text(actor=SYSTEM, text=text, now=cast.now))

    def glass(holder: str, org: str) -> str:
        row = apps.get_model("directory.BreakGlass").objects.create(
            holder_id=cast.people[holder].id,
            role="head",
            org_id=cast.orgs[org].id,
            org_path=cast.orgs[org].path,
            reason="演练",
            begin_at=cast.now - timedelta(hours=1),
            end_at=cast.now + timedelta(hours=1),
            review_by=cast.now + timedelta(days=3),
        )
        return ids.encode("break_glass", row.pk)

    def grant(key: str, org: str) -> str:
        row = apps.get_model("directory.Grant").objects.create(
            person_id=cast.people[key].id,
            role="staff",
            org_id=cast.orgs[org].id,
            org_path=cast.orgs[org].path,
            begin_at=cast.now,
            confirm_by=cast.now + timedelta(days=7),
        )
        return ids.encode("grant", row.pk)

    return {
        "org": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id),
        "person": (cast.people["pupil"].public_id, cast.people["far_pupil"].public_id),
        "consent_text": (notice("school"), notice("far_school")),
        "glass": (glass("head", "school"), glass("far_head", "far_school")),
        "grant": (grant("classmate", "school"), grant("far_head", "far_school")),
    }


# Sees every grant and may not give this role: the object was reached.
AREA = Area(CONSENT, consent_places, exceptions={("directory:confirm_grant", "security_admin"): 403})
