"""Authentication contexts of SAML: what is told of how somebody came in, and what meets a service's wish."""

import pytest

from shuren.identity.data import Assurance, HeldFactors
from shuren.identity.rules.saml.contexts import (
    COMPARISONS,
    LEVELS,
    MFA,
    PASSWORD,
    UNSPECIFIED,
    AskedContext,
    can_show,
    class_for,
    least_assurance,
)

WEAK, SINGLE, MULTI, KEY = Assurance
ORDER = list(Assurance)
OWN_KEY = "urn:shuren:acr:cryptographic"


@pytest.mark.parametrize(
    ("comparison", "classes", "told"),
    [
        ("exact", (PASSWORD,), (None, PASSWORD, PASSWORD, PASSWORD)),
        ("exact", (MFA,), (None, None, MFA, MFA)),
        ("exact", (MFA, PASSWORD), (None, PASSWORD, MFA, MFA)),
        ("exact", (PASSWORD, MFA), (None, PASSWORD, PASSWORD, PASSWORD)),
        ("exact", (UNSPECIFIED,), (UNSPECIFIED,) * 4),
        ("exact", (OWN_KEY,), (None, None, None, OWN_KEY)),
        ("exact", (), (None,) * 4),
        ("minimum", (PASSWORD,), (None, PASSWORD, MFA, MFA)),
        ("minimum", (OWN_KEY,), (None, None, None, OWN_KEY)),
        ("better", (PASSWORD,), (None, None, MFA, MFA)),
        ("better", (MFA,), (None, None, None, OWN_KEY)),
        ("better", (OWN_KEY,), (None,) * 4),
        ("maximum", (PASSWORD,), (UNSPECIFIED, PASSWORD, PASSWORD, PASSWORD)),
        ("maximum", (PASSWORD, MFA), (UNSPECIFIED, PASSWORD, MFA, MFA)),
        ("maximum", (), (None,) * 4),
    ],
)
def test_what_a_service_is_told(comparison: str, classes: tuple[str, ...], told: tuple[str | None, ...]) -> None:
    assert tuple(class_for(AskedContext(comparison, classes), shown) for shown in Assurance) == told


def test_without_a_wish_we_say_what_was_shown() -> None:
    assert [class_for(None, shown) for shown in Assurance] == [UNSPECIFIED, PASSWORD, MFA, MFA]


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_more_never_meets_less(comparison: str) -> None:
    """Who shows more is not turned away where who shows less was let in, and nobody is called surer than they are."""
    for one in LEVELS:
        for other in LEVELS:
            asked = AskedContext(comparison, (one, other))
            told = [class_for(asked, shown) for shown in Assurance]
            assert [name is not None for name in told] == sorted(name is not None for name in told)
            least = least_assurance(asked)
            for shown, name in zip(Assurance, told, strict=True):
                assert (name is not None) is (least is not None and ORDER.index(shown) >= ORDER.index(least))
                assert name is None or ORDER.index(LEVELS[name]) <= ORDER.index(shown)


def test_who_can_show_more() -> None:
    nothing, app, key = HeldFactors(), HeldFactors(has_totp=True), HeldFactors(passkeys=1)
    assert [can_show(MULTI, held=held, has_password=True) for held in (nothing, app, key)] == [False, True, True]
    assert [can_show(KEY, held=held, has_password=True) for held in (nothing, app, key)] == [False, False, True]
    assert [can_show(SINGLE, held=nothing, has_password=has) for has in (True, False)] == [True, False]
