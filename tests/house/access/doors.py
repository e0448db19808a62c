"""Ways in and second factors: the door is open to strangers, the rest is everybody's own."""

from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, NOBODY, ROOT, Address, Area, act, form, page, public, roles

SIGN_IN_ADMINS = roles("system_admin security_admin")


def unknown(*methods: str, **objects: str) -> Address:
    """Open to strangers, but what is asked for does not exist."""
    return Address(near=EVERYBODY, far=EVERYBODY, objects=objects, methods=methods, granted=frozenset({404}), stranger=404)


DOORS: dict[str, Address] = {
    "identity:sign_in_queue": public("GET"),
    # Whoever has not shown a first factor is sent to the door, whoever is in already too.
    "identity:verify": public("GET", granted=302, stranger=302),
    "identity:begin_passkey_proof": public("POST"),
    "identity:finish_passkey_proof": public("POST", granted=400, stranger=400),
    "identity:confirm": form(EVERYBODY),
    "identity:security": page(EVERYBODY),
    "identity:totp": form(EVERYBODY),
    "identity:remove_totp": act(NOBODY),
    "identity:recovery_codes": act(EVERYBODY),
    "identity:begin_passkey_registration": act(EVERYBODY),
    "identity:finish_passkey_registration": act(EVERYBODY),
    "identity:rename_passkey": Address(
        near=NOBODY, objects={"passkey_id": "passkey"}, methods=("POST",), body=("name", "passkey")
    ),
    "identity:remove_passkey": act(NOBODY, passkey_id="passkey"),
    "identity:qr_screen": public("GET", granted=302),
    "identity:sms": public("GET", granted=302),
    "identity:sms_code": public("GET", granted=302, stranger=302),
    "identity:qr_poll": public("POST"),
    "identity:vendor_sign_in": unknown("GET", vendor="vendor"),
    "identity:vendor_back": unknown("GET", vendor="vendor"),
    "identity:unbind_vendor": act(NOBODY, vendor="vendor"),
    "identity:unlink_upstream": act(NOBODY, link_id="link"),
    # A code nobody was given: the ticket and the class do not exist, for whoever asks.
    "identity:qr_phone": page(NOBODY, code="code"),
    "identity:class_tiles": unknown("GET", code="code"),
    "identity:class_cards": page(EVERYBODY),
    # The cast's classes are fourth grades, for which nobody makes cards: refused, where the class is reached at all.
    "identity:make_class_card": Address(
        near=MANAGERS | roles("class_teacher"),
        far=ROOT,
        objects={"org_id": "org"},
        methods=("POST",),
        granted=frozenset({403}),
    ),
    "identity:school_networks": form(MANAGERS, ROOT, org_id="org"),
    "identity:sign_in_policy": page(SIGN_IN_ADMINS, denied=403),
    "identity:set_sign_in_policy": Address(near=SIGN_IN_ADMINS, methods=("POST",), denied=frozenset({403})),
    "front:outbox": page(SIGN_IN_ADMINS, denied=403),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """Two classes; passkeys, links and codes that nobody has, for those of others do not exist for anybody."""
    return {
        "org": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id),
        "vendor": ("wecom", "wecom"),
        "code": ("abc", "xyz"),
        "passkey": (ids.encode("passkey", 1), ids.encode("passkey", 2)),
        "link": (ids.encode("upstream_link", 1), ids.encode("upstream_link", 2)),
    }


AREA = Area(DOORS, places)
