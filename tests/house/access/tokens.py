"""Apps that ask for tokens: the provider's endpoints, the consents of people, the list of clients."""

from shuren.identity import api as identity
from shuren.identity.data import NewClient
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, NOBODY, Address, Area, act, form, page, public, roles

SIGN_IN = roles("system_admin security_admin")
# Programs prove themselves by secrets and keys, not by a session: without one everybody is refused alike.
_PROGRAMS = Address(near=EVERYBODY, methods=("POST",), granted=frozenset({400}), stranger=400)

ADDRESSES: dict[str, Address] = {
    "identity:apps": page(EVERYBODY),
    "identity:withdraw_app": act(NOBODY, client_id="client"),
    "identity:device": page(EVERYBODY),
    "identity:authorize": public("GET", granted=400, stranger=400),
    "identity:decide": Address(near=EVERYBODY, methods=("POST",), granted=frozenset({400})),
    "identity:token": _PROGRAMS,
    "identity:introspect": _PROGRAMS,
    "identity:revoke": _PROGRAMS,
    "identity:push": _PROGRAMS,
    "identity:device_authorization": _PROGRAMS,
    "identity:userinfo": public("GET", granted=401, stranger=401),
    "identity:end_session_for_app": public("GET"),
    "identity:end_session_for_app_confirmed": Address(near=EVERYBODY, methods=("POST",), granted=frozenset({302})),
    "identity:jwks": public("GET"),
    "identity:openid_configuration": public("GET"),
    "identity:authorization_server": public("GET"),
    "identity:clients": page(SIGN_IN),
    "identity:add_client": form(SIGN_IN),
    "identity:client": page(SIGN_IN, SIGN_IN, client_id="client"),
    "identity:change_client": form(SIGN_IN, SIGN_IN, client_id="client"),
    "identity:add_client_secret": act(SIGN_IN, SIGN_IN, client_id="client"),
    "identity:drop_client_secrets": act(SIGN_IN, SIGN_IN, client_id="client"),
    "identity:disable_client": act(SIGN_IN, SIGN_IN, client_id="client"),
    "identity:enable_client": act(SIGN_IN, SIGN_IN, client_id="client"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """Clients belong to the whole installation: near and far are two of them."""
    names = ("校车排班", "课后阅读")
    clients = [
        identity.register_client(
            actor=SYSTEM, client=NewClient(name=name, redirect_uris=("https://app.example.cn/cb",)), now=clock.now()
        )
        for name in names
    ]
    near, far = (ids.encode("client", client.id) for client in clients)
    return {"client": (near, far)}


AREA = Area(ADDRESSES, places)
