"""Tools in classes (LTI 1.3): pages of teachers and pupils, and the services that tools call with a token."""

from dataclasses import replace

from django.apps import apps

from shuren.interop.data import VendorStatus
from shuren.interop.selectors.vendors import token_digest
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, NOBODY, Address, Area, act, page, public, roles

TEACHERS = roles("teacher class_teacher")
OF_THE_CLASS = TEACHERS | roles("pupil")
_TOOLS = Address(near=NOBODY, denied=frozenset({401}), stranger=401, objects={"class_id": "class"})
_OF_ITEM = {"class_id": "class", "item_id": "line_item"}

ADDRESSES: dict[str, Address] = {
    "interop:lti_classes": Address(near=EVERYBODY, granted=frozenset({200, 302})),
    "interop:lti_class": page(OF_THE_CLASS, class_id="class"),
    "interop:lti_choose": page(TEACHERS, granted=302, class_id="class", app_id="tool"),
    "interop:lti_scores": page(TEACHERS, class_id="class"),
    "interop:lti_start": page(OF_THE_CLASS, granted=302, link_id="link"),
    "interop:lti_remove": act(TEACHERS, link_id="link"),
    "interop:lti_configuration": public("GET"),
    "interop:lti_register": Address(near=EVERYBODY, methods=("POST",), granted=frozenset({401}), stranger=401),
    # Both answer programs of tools on their proof; without it everybody is refused alike.
    "interop:lti_authorize": public("GET", granted=403, stranger=403),
    "interop:lti_return": Address(near=EVERYBODY, methods=("POST",), granted=frozenset({400}), stranger=400),
    "interop:lti_members": _TOOLS,
    "interop:lti_line_items": replace(_TOOLS, methods=("GET", "POST")),
    "interop:lti_line_item": replace(_TOOLS, methods=("GET", "PUT", "DELETE"), objects=_OF_ITEM),
    "interop:lti_post_score": replace(_TOOLS, methods=("POST",), objects=_OF_ITEM),
    "interop:lti_results": replace(_TOOLS, objects=_OF_ITEM),
}


def lti_places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A tool chosen by each of the two schools, with a link and a column in the class."""

    def hung(number: int, school: str, class_key: str) -> dict[str, str]:
        place = {"org_id": cast.orgs[school].id, "org_path": cast.orgs[school].path}
        vendor = apps.get_model("interop.Vendor").objects.create(
            name=f"工具商{number}",
            credit_code=f"91440101MA5CUXT{number:03}",
            contact_name="褚云",
            email="dev@example.cn",
            status=VendorStatus.APPROVED,
            token_digest=token_digest(f"lti-{number}"),
            registered_at=cast.now,
            **place,
        )
        app = apps.get_model("interop.App").objects.create(
            vendor=vendor, name="口算工具", client_id=f"tool-{number}", created_at=cast.now
        )
        app.current = apps.get_model("interop.AppVersion").objects.create(
            app=app,
            number=1,
            status="approved",
            name="口算工具",
            name_en="Sums",
            category="homework_assessment",
            description="口算练习。",
            description_en="Mental arithmetic.",
            kind="lti",
            launch_url="https://tool.example.cn/login",
            redirect_uris=["https://tool.example.cn/launch"],
            jwks_uri="https://tool.example.cn/jwks",
            content_hash="0" * 64,
            changed_at=cast.now,
        )
        app.save()
        apps.get_model("interop.Installation").objects.create(app=app, version=app.current, chosen_at=cast.now, **place)
        class_id = cast.orgs[class_key].id
        link = apps.get_model("interop.LtiLink").objects.create(
            app=app, class_org_id=class_id, title="口算练习", created_at=cast.now
        )
        item = apps.get_model("interop.LtiLineItem").objects.create(
            app=app, class_org_id=class_id, label="口算练习", score_maximum=10, created_at=cast.now
        )
        return {
            "tool": ids.encode("app", app.pk),
            "class": cast.orgs[class_key].public_id,
            "link": ids.encode("lti_link", link.pk),
            "line_item": ids.encode("lti_line_item", item.pk),
        }

    near, far = hung(1, "school", "class"), hung(2, "far_school", "far_class")
    return {key: (near[key], far[key]) for key in near}


AREA = Area(ADDRESSES, lti_places)
