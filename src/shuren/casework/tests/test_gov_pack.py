"""The pack of public services: what it holds, and that the region can take it in."""

import pytest
from tests.cast import Cast

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.services.packs.check import check_pack
from shuren.casework.services.packs.install import install_pack
from shuren.kernel.data import SYSTEM

SERVICES = {"permit", "confirm", "service", "enrolment"}


@pytest.fixture
def gov(cast: Cast) -> Cast:
    for key in ("core", "gov"):
        install_pack(actor=SYSTEM, key=key, now=cast.now)
    return cast


def test_nothing_is_wrong_with_it(cast: Cast) -> None:
    assert [str(finding) for finding in check_pack("gov") if finding.is_error] == []


def test_it_brings_twelve_services_and_more(gov: Cast) -> None:
    specs = [spec_of(row) for row in Definition.objects.filter(kind=DefinitionKind.ITEM.value)]
    assert sum(spec.kind in SERVICES for spec in specs) >= 12
    for spec in specs:
        told = (spec.guide.en, spec.title.en, spec.conditions, spec.steps, spec.basis)
        assert all(told), spec.key
        assert all(words.en for words in (*spec.conditions, *spec.steps)), spec.key


def test_the_promise_of_an_item_is_that_of_its_flow(gov: Cast) -> None:
    for row in Definition.objects.filter(kind=DefinitionKind.ITEM.value):
        item = spec_of(row)
        flow = spec_of(Definition.objects.get(kind=DefinitionKind.FLOW.value, key=item.flow))
        assert flow.promise == item.promise, item.key
