"""What other apps keep of an org's place moves with it, whatever app it is."""

import pytest

from shuren.directory import api as directory
from shuren.interop.models import Vendor
from shuren.kernel.data import SYSTEM
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_what_lies_at_a_school_that_moves_lies_there_afterwards(cast: Cast) -> None:
    school, west, city = cast.orgs["school"], cast.orgs["other_county"], cast.orgs["city"]
    facts = {"contact_name": "褚云帆", "email": "a@example.cn", "registered_at": cast.now}
    there = Vendor.objects.create(name="云帆", credit_code="1", token_digest="1", org_id=school.id, org_path=school.path, **facts)
    above = Vendor.objects.create(name="远航", credit_code="2", token_digest="2", org_id=city.id, org_path=city.path, **facts)
    directory.move_org(actor=SYSTEM, org_id=school.id, parent_id=west.id, now=cast.now)
    there.refresh_from_db()
    above.refresh_from_db()
    assert there.org_path == directory.orgs_by_ids([school.id])[school.id].path
    assert there.org_path.startswith(west.path)
    assert above.org_path == city.path
