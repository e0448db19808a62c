"""Apps of others: their vendors, their review, where they are chosen."""

from dataclasses import replace

from django.apps import apps

from shuren.interop.data import VendorStatus
from shuren.interop.selectors.vendors import token_digest
from shuren.kernel import ids
from shuren.kernel.data import Actor
from tests.cast import Cast
from tests.house.access.frame import (
    EVERYBODY,
    MANAGERS,
    NOBODY,
    OFFICERS,
    ROOT,
    Address,
    Area,
    act,
    call,
    form,
    page,
    public,
    roles,
)

CHOOSERS = MANAGERS | roles("head")
VENDOR = roles("vendor")
OF_THE_SCHOOL = roles("pupil parent teacher class_teacher head school_admin staff vendor")
# Only apps with a token of their own: a session, whoever's, is not one.
APPS_GET = Address(near=NOBODY, denied=frozenset({401}), stranger=401)
APPS_POST = replace(APPS_GET, methods=("POST",))

APPS: dict[str, Address] = {
    "api-v1:list_apps": call(EVERYBODY),
    "api-v1:make_key": APPS_POST,
    "api-v1:key_versions": replace(APPS_GET, objects={"key": "own_key"}),
    "api-v1:rotate_key": replace(APPS_POST, objects={"key": "own_key"}),
    "api-v1:revoke_key": replace(APPS_POST, objects={"key": "own_key"}),
    "api-v1:sign": APPS_POST,
    "api-v1:verify": APPS_POST,
    "api-v1:seal": APPS_POST,
    "api-v1:unseal": APPS_POST,
    "api-v1:digest": APPS_POST,
    "api-v1:timestamp": APPS_POST,
    "api-v1:list_deliveries": APPS_GET,
    "api-v1:read_delivery": replace(APPS_GET, objects={"delivery_id": "delivery"}),
    "api-v1:replay": replace(APPS_POST, objects={"delivery_id": "delivery"}),
    "api-v1:ping": APPS_POST,
    "api-v1:list_elements": replace(call(VENDOR), denied=frozenset({403})),
    "api-v1:list_branches": replace(call(VENDOR), denied=frozenset({403})),
    "api-v1:list_own_apps": replace(call(VENDOR), denied=frozenset({403})),
    # A write without a body is answered before anybody is asked who they are; what it may do is asked by the app's own tests.
    "api-v1:add_own_app": replace(
        call(VENDOR), methods=("GET", "POST"), granted=frozenset({200, 422}), denied=frozenset({403, 422})
    ),
    "api-v1:revise_own_app": replace(
        call(VENDOR, app_id="app"), methods=("GET", "PUT"), granted=frozenset({200, 422}), denied=frozenset({404, 422})
    ),
    "api-v1:read_test": replace(call(VENDOR, app_id="app"), granted=frozenset({404})),
    "api-v1:open_sandbox": replace(call(VENDOR), methods=("POST",), denied=frozenset({403})),
    "api-v1:read_own_app": call(VENDOR, app_id="app"),
    "api-v1:draw_own_secret": replace(call(VENDOR, app_id="app"), methods=("POST",)),
    "api-v1:make_webhook_key": replace(call(VENDOR, app_id="app"), methods=("POST",)),
    "api-v1:start_test": replace(call(VENDOR, app_id="app"), methods=("GET", "POST"), granted=frozenset({202, 404})),
    "api-v1:submit_own_app": replace(call(VENDOR, app_id="app", branch_id="branch"), methods=("POST",)),
    "api-v1:withdraw_own_app": replace(call(VENDOR, app_id="app"), methods=("DELETE",), granted=frozenset({200})),
    "interop:register": public("GET", "POST"),
    "interop:registration": replace(page(EVERYBODY, EVERYBODY, token="token"), stranger=200),
    "interop:developer": page(VENDOR, denied=403),
    "interop:sandbox": replace(form(VENDOR), denied=frozenset({403})),
    "interop:secret": act(VENDOR, app_id="app"),
    "interop:sandbox_secret": act(VENDOR, app_id="app"),
    "interop:add_app": replace(form(VENDOR), denied=frozenset({403})),
    "interop:add_tool": replace(form(VENDOR), denied=frozenset({403})),
    "interop:own_app": page(VENDOR, app_id="app"),
    "interop:revise": form(VENDOR, app_id="app"),
    "interop:conformity": form(VENDOR, app_id="app"),
    "interop:submit": form(VENDOR, app_id="app"),
    "interop:withdraw": act(VENDOR, app_id="app"),
    "interop:leave": form(VENDOR, app_id="app"),
    "interop:own_messages": page(VENDOR, app_id="app"),
    "interop:webhook_key": act(VENDOR, app_id="app"),
    "interop:ping": act(VENDOR, app_id="app"),
    "interop:replay_own_message": act(VENDOR, app_id="app", delivery_id="delivery"),
    "interop:own_usage": page(VENDOR, app_id="app"),
    "interop:submissions": page(EVERYBODY),
    "interop:submission": form(OFFICERS, ROOT, submission_id="submission"),
    "interop:vendors": page(EVERYBODY),
    "interop:vendor": form(OFFICERS, ROOT, vendor_id="vendor"),
    "interop:governed_apps": page(EVERYBODY),
    "interop:governed_app": page(OFFICERS, ROOT, app_id="app"),
    "interop:suspend": form(OFFICERS, ROOT, app_id="app"),
    "interop:resume": act(OFFICERS, ROOT, app_id="app"),
    "interop:quota": form(OFFICERS, ROOT, app_id="app"),
    "interop:announce_leave": form(OFFICERS, ROOT, app_id="app"),
    "interop:messages_of_app": page(OFFICERS, ROOT, app_id="app"),
    "interop:replay_message": act(OFFICERS, ROOT, app_id="app", delivery_id="delivery"),
    "interop:apps": page(EVERYBODY),
    "interop:app_data": page(EVERYBODY),
    "interop:answer": replace(act(NOBODY, person_id="child", text_id="notice_text"), denied=frozenset({400})),
    "interop:choose": page(CHOOSERS, denied=403, granted=302),
    "interop:choose_at": page(CHOOSERS, ROOT, org_id="school"),
    "interop:choose_app": form(CHOOSERS, ROOT, org_id="school", app_id="app"),
    "interop:remove_app": act(CHOOSERS, ROOT, org_id="school", app_id="app"),
    "interop:launch": page(OF_THE_SCHOOL, granted=302, app_id="app"),
    "interop:icon": page(EVERYBODY, EVERYBODY, app_id="app"),
}


def app_places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A vendor with one app near, another with one far; each listed in its county, chosen by one school of it."""

    def vendor(number: int, county: str, person: Actor | None, token: str) -> int:
        row = apps.get_model("interop.Vendor").objects.create(
            name=f"服务商{number}",
            credit_code=f"91440101MA5CUXK{number:03}",
            contact_name="褚云",
            email="dev@example.cn",
            status=VendorStatus.APPROVED if person else VendorStatus.PENDING,
            org_id=cast.orgs[county].id,
            org_path=cast.orgs[county].path,
            token_digest=token_digest(token),
            registered_at=cast.now,
        )
        if person is not None:
            apps.get_model("interop.VendorMember").objects.create(vendor=row, person_id=person.person_id, joined_at=cast.now)
        return int(row.pk)

    def listed(vendor_id: int, county: str, school: str) -> dict[str, str]:
        app = apps.get_model("interop.App").objects.create(vendor_id=vendor_id, name="作业小助手", created_at=cast.now)
        version = apps.get_model("interop.AppVersion").objects.create(
            app=app,
            number=1,
            status="approved",
            name="作业小助手",
            name_en="Homework helper",
            category="homework_assessment",
            description="布置和批改作业。",
            description_en="Sets and marks homework.",
            kind="oidc",
            launch_url="https://app.example.cn/start",
            redirect_uris=["https://app.example.cn/callback"],
            webhook_url="https://app.example.cn/hook",
            icon=b"\x89PNG\r\n\x1a\n",
            content_hash="0" * 64,
            changed_at=cast.now,
        )
        app.current = version
        app.save()
        place = {"org_id": cast.orgs[county].id, "org_path": cast.orgs[county].path}
        apps.get_model("interop.Listing").objects.create(app=app, version=version, listed_at=cast.now, **place)
        submission = apps.get_model("interop.Submission").objects.create(version=version, submitted_at=cast.now, **place)
        apps.get_model("interop.Installation").objects.create(
            app=app,
            version=version,
            org_id=cast.orgs[school].id,
            org_path=cast.orgs[school].path,
            chosen_at=cast.now,
        )
        delivery = apps.get_model("interop.Delivery").objects.create(
            app=app,
            message_id=f"msg_{app.pk}",
            key="1",
            event="ping",
            subject="app",
            payload={},
            status="delivered",
            created_at=cast.now,
        )
        return {
            "app": ids.encode("app", app.pk),
            "submission": ids.encode("submission", submission.pk),
            "delivery": ids.encode("delivery", delivery.pk),
            "own_key": "signing",
        }

    near = listed(vendor(1, "county", cast.actor("vendor"), "n" * 43), "county", "school")
    far = listed(vendor(2, "far_county", cast.actor("far_class_teacher"), "f" * 43), "far_county", "far_school")
    waiting = [vendor(3, "county", None, "a" * 43), vendor(4, "far_county", None, "b" * 43)]
    return {
        **{key: (near[key], far[key]) for key in near},
        "child": (cast.people["pupil"].public_id, cast.people["far_pupil"].public_id),
        "notice_text": (ids.encode("consent_text", 1), ids.encode("consent_text", 2)),
        "token": ("a" * 43, "b" * 43),
        "vendor": (ids.encode("vendor", waiting[0]), ids.encode("vendor", waiting[1])),
        "branch": (cast.orgs["province"].public_id, cast.orgs["province"].public_id),
        "school": (cast.orgs["school"].public_id, cast.orgs["far_school"].public_id),
    }


AREA = Area(APPS, app_places)
