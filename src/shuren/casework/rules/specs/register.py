"""Registers: typed lists of things with a life cycle."""

from pydantic import Field

from shuren.casework.rules.specs.form import About, FormSpec
from shuren.casework.rules.specs.words import Key, Spec, Words
from shuren.directory.data import OrgType, Role


class StateSpec(Spec):
    """A state of a thing, and the states it may go to; the first state is where it begins, one without `to` is its end."""

    key: Key
    title: Words
    to: tuple[Key, ...] = ()
    tone: str = "plain"


class ViewSpec(Spec):
    """A view that everybody finds: a filter, as field → value, and a sort key."""

    key: Key
    title: Words
    filters: dict[str, str] = Field(default_factory=dict)
    sort: str = ""


class RegisterSpec(FormSpec):
    """A register: its fields are those of a form, and every entry belongs to an org of one of the types `at`.

    `identity` are the fields whose values together may stand once in an org (once in the whole register with
    `is_identity_global`); `label` names an entry, as an expression or a field. `keep` may write in their branch, `see` may
    read there, `is_public` lets everybody read what is graded L1. With `change_by` nothing is written but through that flow.
    """

    about: About = About.ORG
    at: tuple[OrgType, ...] = (OrgType.SCHOOL,)
    identity: tuple[Key, ...] = ()
    is_identity_global: bool = False
    states: tuple[StateSpec, ...] = ()
    keep: tuple[Role, ...] = (Role.SCHOOL_ADMIN, Role.HEAD, Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
    see: tuple[Role, ...] = (Role.SCHOOL_ADMIN, Role.HEAD, Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
    is_public: bool = False
    change_by: str = ""
    place: str = ""
    has_labels: bool = False
    views: tuple[ViewSpec, ...] = ()
