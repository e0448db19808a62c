"""What gives somebody power, opens a way in or takes an emergency's rights asks who is there once more."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from shuren.identity.data import Purpose
from shuren.kernel.doors import purpose_of

_NAMES = """
identity:set_sign_in_policy identity:school_networks identity:make_binding_codes identity:tend_account identity:make_class_card
identity:add_client identity:change_client identity:add_client_secret identity:drop_client_secrets identity:enable_client
identity:add_upstream identity:correct_upstream identity:switch_upstream
identity:add_cas_service identity:correct_cas identity:switch_cas
identity:add_saml_service identity:correct_saml identity:switch_saml identity:turn_saml_key
identity:totp identity:remove_totp identity:recovery_codes identity:begin_passkey_registration identity:remove_passkey
interop:submission interop:resume interop:quota interop:secret interop:webhook_key interop:choose_app
interop:add_roster_source interop:correct_roster_source
datahub:register_view_source datahub:correct_view_source
"""
ASKING = _NAMES.split()


def views() -> dict[str, object]:
    found: dict[str, object] = {}

    def walk(patterns: list[URLPattern | URLResolver], space: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, pattern.namespace or space)
            elif pattern.name:
                found[f"{space}:{pattern.name}"] = pattern.callback

    walk(get_resolver().url_patterns, "")
    return found


VIEWS = views()


@pytest.mark.parametrize("name", ASKING)
def test_it_asks_who_is_there(name: str) -> None:
    assert purpose_of(VIEWS[name]) in set(Purpose)
