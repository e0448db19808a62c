"""What a reader in the house is shown of a person: by the fact's grade, what the page is for, and how they stand to the person.

What leaves the house is decided in `rules.consent`. Minimal need, Personal Information Protection Law, article 6; a person
and the guardians of a child see what is kept of them, article 45.
"""

from shuren.directory.data import HousePurpose, Standing, Withheld
from shuren.standards.data import Grade

# What teaching a person takes: whom one has before one, and how to address them.
_FOR_TEACHING = frozenset({"person.name", "person.family_name", "person.given_name", "person.sex", "guardian.relation"})
_PURPOSES = {
    Standing.SELF: frozenset({HousePurpose.TEACHING, HousePurpose.OWN_DATA, HousePurpose.IDENTITY_CHECK}),
    Standing.FAMILY: frozenset({HousePurpose.TEACHING, HousePurpose.OWN_DATA, HousePurpose.IDENTITY_CHECK}),
    Standing.KEEPER: frozenset({HousePurpose.TEACHING, HousePurpose.ADMINISTRATION, HousePurpose.IDENTITY_CHECK}),
    Standing.VIEWER: frozenset({HousePurpose.TEACHING}),
}
_OF_PAGE = {
    Standing.SELF: HousePurpose.OWN_DATA,
    Standing.FAMILY: HousePurpose.OWN_DATA,
    Standing.KEEPER: HousePurpose.ADMINISTRATION,
    Standing.VIEWER: HousePurpose.TEACHING,
}


def standing_of(*, is_self: bool, is_family: bool, is_keeper: bool) -> Standing:
    """The nearest standing counts: an officer reads of their own child as a parent does."""
    if is_self:
        return Standing.SELF
    if is_family:
        return Standing.FAMILY
    return Standing.KEEPER if is_keeper else Standing.VIEWER


def purpose_of_page(standing: Standing) -> HousePurpose:
    """What somebody of this standing opens a person's own page for."""
    return _OF_PAGE[standing]


def serves(purpose: HousePurpose, standing: Standing) -> bool:
    """Whether somebody of this standing may read for this purpose."""
    return purpose in _PURPOSES[standing]


def withheld_inside(*, element: str, grade: Grade, purpose: HousePurpose, standing: Standing) -> Withheld | None:
    """Why a fact is not shown whole; None if it is. A purpose that is not the reader's shows what teaching shows."""
    if grade in (Grade.PUBLIC, Grade.INTERNAL):
        return None
    served = purpose if serves(purpose, standing) else HousePurpose.TEACHING
    if grade is Grade.SENSITIVE:
        return None if served is HousePurpose.IDENTITY_CHECK else Withheld.ON_REQUEST
    return None if served is not HousePurpose.TEACHING or element in _FOR_TEACHING else Withheld.NOT_NEEDED
