"""Who may call an address, in the words of the cast, and where its objects lie."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.urls import reverse

from shuren.directory.data import Role
from tests.cast import Cast

Roles = frozenset[str]


def roles(text: str) -> Roles:
    return frozenset(text.split())


EVERYBODY = frozenset(role.value for role in Role)
NOBODY = roles("")
ROOT = roles("province_officer")
OFFICERS = roles("county_officer city_officer province_officer")
ADMINS = roles("system_admin security_admin audit_admin")
MANAGERS = OFFICERS | roles("school_admin")
GRANTERS = MANAGERS | roles("head security_admin")
KNOWERS = MANAGERS | roles("pupil parent teacher class_teacher head")
READERS = MANAGERS | roles("class_teacher head expert")
FAMILY_AND_SCHOOL = roles("pupil parent class_teacher head")

DONE = {"GET": {200}, "POST": {200, 302, 400, 409}}


@dataclass(frozen=True, kw_only=True)
class Address:
    """Who is answered. `near` and `far` are granted on the object of that place; everybody else is `denied`."""

    near: Roles
    far: Roles = NOBODY
    objects: dict[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ("GET",)
    granted: frozenset[int] = frozenset()
    denied: frozenset[int] = frozenset({404})
    stranger: int = 302
    body: tuple[str, ...] = ()


def page(near: Roles, far: Roles = NOBODY, denied: int = 404, granted: int = 200, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, denied=frozenset({denied}), granted=frozenset({granted}))


def form(near: Roles, far: Roles = NOBODY, *denied: int, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, denied=frozenset(denied or {404}), methods=("GET", "POST"))


def act(near: Roles, far: Roles = NOBODY, denied: int = 404, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, denied=frozenset({denied}), methods=("POST",))


def call(near: Roles, far: Roles = NOBODY, **objects: str) -> Address:
    return Address(near=near, far=far, objects=objects, stranger=401)


def public(*methods: str, granted: int = 200, stranger: int = 200) -> Address:
    return Address(near=EVERYBODY, methods=methods, granted=frozenset({granted}), stranger=stranger)


@dataclass(frozen=True)
class Places:
    """The near and the far object of every kind."""

    found: dict[str, tuple[str, str]]

    def url(self, name: str, address: Address, place: int) -> str:
        return reverse(name, kwargs={key: self.found[kind][place] for key, kind in address.objects.items()})

    def fields(self, address: Address, place: int) -> dict[str, str]:
        """What the form sends, where an empty one would not reach the object."""
        return {address.body[0]: self.found[address.body[1]][place]} if address.body else {}


@dataclass(frozen=True)
class Area:
    """A part of the house: its addresses, what makes their objects, and pairs of address and role answered otherwise."""

    addresses: dict[str, Address]
    places: Callable[[Cast], dict[str, tuple[str, str]]]
    exceptions: dict[tuple[str, str], int] = field(default_factory=dict)
