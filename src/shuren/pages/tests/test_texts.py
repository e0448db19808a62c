"""What no database keeps is found wherever it stands."""

import json

import pytest

from shuren.pages.rules.told import holds_unfit


@pytest.mark.parametrize("unfit", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_unfit_text_is_found_at_any_place(unfit: str) -> None:
    for told in (unfit, [1, [unfit]], {"a": {"b": unfit}}, {unfit: 1}, json.loads("[" * 900 + json.dumps(unfit) + "]" * 900)):
        assert holds_unfit(told)


def test_every_other_text_is_fit() -> None:
    assert not holds_unfit({"名": ["😀", "\\u0000", "\u202e", None, 1.5, True], "": {}})
