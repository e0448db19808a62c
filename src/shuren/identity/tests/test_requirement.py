from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity.tests.conftest import NOW, School


def test_roles_asked_for_are_those_somebody_may_choose_from(school: School) -> None:
    for person_id in school.people.values():
        held = {option.role for option in directory.role_options(person_id, now=NOW)}
        assert directory.roles_among(person_id, frozenset(Role), now=NOW) == held
        for role in Role:
            assert directory.roles_among(person_id, {role}, now=NOW) == held & {role}
    assert directory.roles_among(0, frozenset(Role), now=NOW) == frozenset()
