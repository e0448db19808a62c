"""The portal: people, orgs, imports, jobs, accounts."""

import io
from dataclasses import replace

from django.apps import apps

from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.intake import api as intake
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.messaging import api as messaging
from shuren.work import api as work
from tests.cast import Cast
from tests.house.access.frame import (
    ADMINS,
    EVERYBODY,
    GRANTERS,
    KNOWERS,
    MANAGERS,
    NOBODY,
    ROOT,
    Address,
    Area,
    act,
    form,
    page,
    public,
    roles,
)

PORTAL: dict[str, Address] = {
    "front:home": page(EVERYBODY),
    "front:health": public("GET"),
    "front:language": public("POST", granted=302, stranger=302),
    "front:imports": page(MANAGERS | roles("head class_teacher"), denied=403),
    "front:new_import": form(MANAGERS, MANAGERS, 403, kind_name="kind"),
    "front:import_template": page(MANAGERS, MANAGERS, denied=403, kind_name="kind"),
    "front:import": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:import_progress": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:import_findings": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:import_workbook": page(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:apply_import": act(roles("school_admin province_officer"), ROOT, import_id="import"),
    "front:undo_import": act(NOBODY, import_id="import"),
    "front:jobs": page(EVERYBODY),
    "front:job": page(roles("school_admin province_officer system_admin"), roles("province_officer system_admin"), job_id="job"),
    "front:job_progress": page(
        roles("school_admin province_officer system_admin"), roles("province_officer system_admin"), job_id="job"
    ),
    "front:cancel_job": act(
        roles("school_admin province_officer system_admin"), roles("province_officer system_admin"), job_id="job"
    ),
    "front:audit": page(roles("audit_admin"), denied=403),
    "front:search": page(EVERYBODY),
    "front:suggest": page(EVERYBODY),
    "front:notices": page(EVERYBODY),
    "front:read_notices": act(EVERYBODY),
    "front:notice": page(roles("head"), granted=302, notice_id="notice"),
    "pages:saved_views": form(EVERYBODY),
    "pages:delete_saved_view": act(roles("head"), view_id="saved_view"),
    "pages:hints": page(EVERYBODY, granted=204),
    "pages:put_hints_away": act(EVERYBODY),
    "identity:sign_in": public("GET", granted=302),
    "identity:sign_out": act(EVERYBODY),
    "identity:switch_role": act(EVERYBODY),
    "identity:account": page(EVERYBODY),
    "identity:change_password": form(EVERYBODY),
    "identity:end_session": act(roles("head"), sign_in_id="sign_in"),
    "identity:end_other_sessions": act(EVERYBODY),
    "identity:credentials": page(MANAGERS, denied=403, granted=302),
    "identity:credentials_of_org": page(MANAGERS, ROOT, org_id="org"),
    "identity:issue_credentials": act(MANAGERS, ROOT, org_id="org", form="slips"),
    "directory:orgs": page(EVERYBODY),
    "directory:org": page(EVERYBODY - roles("parent"), ROOT | ADMINS, public_id="org"),
    "directory:org_people": page(EVERYBODY - roles("parent"), ROOT | ADMINS, public_id="org"),
    "directory:roster_file": page(MANAGERS | roles("head"), ROOT, public_id="org", form="workbook"),
    "directory:org_grants": page(GRANTERS, ROOT | roles("security_admin"), public_id="org"),
    "directory:add_grant": form(GRANTERS, ROOT | roles("security_admin"), public_id="org"),
    "directory:add_person": form(MANAGERS, ROOT, public_id="org"),
    "directory:add_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:correct_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:boundaries": form(MANAGERS, ROOT, public_id="org"),
    "directory:boundaries_file": page(MANAGERS, ROOT, public_id="org"),
    "directory:clear_boundaries": act(MANAGERS, ROOT, public_id="org"),
    "directory:move_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:merge_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:close_org": form(MANAGERS, ROOT, public_id="org"),
    "directory:people": page(EVERYBODY),
    "directory:person": page(KNOWERS, ROOT, public_id="person"),
    "directory:seen_by": page(KNOWERS, ROOT, public_id="person"),
    "directory:correct_person": form(MANAGERS, ROOT, public_id="person"),
    "directory:reveal_person": act(MANAGERS | roles("head pupil parent"), ROOT, public_id="person"),
    "directory:add_role": form(MANAGERS, ROOT, public_id="person"),
    "directory:end_role": form(MANAGERS, ROOT, public_id="person", role_id="affiliation"),
    "directory:transfer": form(MANAGERS, ROOT, public_id="person"),
    "directory:enrol": form(MANAGERS, ROOT, public_id="person"),
    "directory:leave_class": form(MANAGERS, ROOT, public_id="person", enrollment_id="enrollment"),
    "directory:link_guardian": form(MANAGERS, ROOT, public_id="person"),
    "directory:register_guardian": form(MANAGERS, ROOT, public_id="person"),
    "directory:end_guardian": form(MANAGERS, ROOT, public_id="person", guardian_id="guardian"),
    "directory:add_pupils": form(MANAGERS, ROOT, public_id="org"),
    "directory:duplicates": page(EVERYBODY),
    "directory:merge_duplicate": replace(act(MANAGERS, ROOT, public_id="duplicate"), body=("keep", "person")),
    "directory:dismiss_duplicate": act(MANAGERS, ROOT, public_id="duplicate"),
    "directory:grants": page(EVERYBODY),
    "directory:revoke_grant": act(MANAGERS | roles("head staff"), ROOT, public_id="grant"),
}


def portal_places(cast: Cast) -> dict[str, tuple[str, str]]:
    def sign_in(key: str) -> str:
        cast.client(key)
        account_id = cast.actor(key).account_id
        return ids.encode("sign_in", apps.get_model("identity.SignIn").objects.get(account_id=account_id).pk)

    def notice(key: str) -> str:
        messaging.notify(person_ids=[cast.people[key].id], title="通知", now=cast.now)
        return messaging.notices_of(cast.people[key].id).rows[0].public_id

    def saved_view(key: str) -> str:
        view = apps.get_model("pages.SavedView").objects.create(
            account_id=cast.actor(key).account_id, path="/people/", list_name="people", name="视图", saved_at=cast.now
        )
        return ids.encode("saved_view", view.pk)

    def sent_file(key: str) -> str:
        file = io.BytesIO("一,二\n1,2\n".encode())
        sent = intake.start_import(actor=cast.actor(key), kind="roster", file_name="名册.csv", content=file, now=cast.now)
        return ids.encode("import", sent)

    def job(key: str) -> str:
        return ids.encode("job", work.enqueue("shuren.directory.jobs.recount", actor=cast.actor(key), title="统计"))

    def grant(key: str, org: str) -> str:
        person_id, org_id = cast.people[key].id, cast.orgs[org].id
        given = directory.grant_role(
            actor=SYSTEM, person_id=person_id, role=Role.STAFF, org_id=org_id, begin_at=cast.now, now=cast.now
        )
        return ids.encode("grant", given)

    def duplicate(one: str, other: str) -> str:
        pair = apps.get_model("directory.DuplicatePair").objects.create(
            first_id=cast.people[one].id, second_id=cast.people[other].id, evidence={}, score=0.9, found_at=cast.now
        )
        return ids.encode("pair", pair.pk)

    def tie(kind: str, key: str) -> str:
        return ids.encode(kind, apps.get_model(f"directory.{kind}").objects.get(person_id=cast.people[key].id).pk)

    found: dict[str, tuple[str, str]] = {
        "org": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id),
        "person": (cast.people["pupil"].public_id, cast.people["far_pupil"].public_id),
        "guardian": (cast.people["parent"].public_id, cast.people["far_parent"].public_id),
        "affiliation": (tie("affiliation", "pupil"), tie("affiliation", "far_pupil")),
        "enrollment": (tie("enrollment", "pupil"), tie("enrollment", "far_pupil")),
        "kind": ("roster", "results"),
        "slips": ("csv", "csv"),
        "file": ("json", "json"),
        "workbook": ("xlsx", "xlsx"),
        "sign_in": (sign_in("head"), sign_in("far_head")),
        "notice": (notice("head"), notice("far_head")),
        "saved_view": (saved_view("head"), saved_view("far_head")),
        "import": (sent_file("school_admin"), sent_file("far_head")),
        "grant": (grant("staff", "school"), grant("far_head", "far_school")),
        "duplicate": (duplicate("pupil", "classmate"), duplicate("far_pupil", "far_parent")),
    }
    work.run_pending()
    return found | {"job": (job("school_admin"), job("far_head"))}


# The result of an empty form that is refused by name, not by right: the object was reached.
AREA = Area(PORTAL, portal_places, exceptions={("directory:revoke_grant", "security_admin"): 403})
