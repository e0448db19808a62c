"""The region in which every pack is tried: the portal's cast, offices of every level, all packs installed, people in pools."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from tests.cast import Cast, build_cast, forget_news

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, Entry
from shuren.casework.rules.specs.flow import FlowSpec, Who
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import definition_named
from shuren.casework.selectors.packs import ReadDefinition, ReadPack, in_order, read_packs
from shuren.casework.services.packs.install import install_pack
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgData, OrgType, Role
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid
from shuren.standards import api as standards

PACKS: dict[str, ReadPack] = read_packs(standards.known_elements())
TODAY = date(2026, 12, 1)
POOL = 6
# Where an org of each type hangs in the cast's tree.
_PARENTS = {
    OrgType.AGENCY: "county",
    OrgType.GROUP: "county",
    OrgType.CAMPUS: "school",
    OrgType.TEACHING_POINT: "school",
    OrgType.DEPARTMENT: "county",
    OrgType.GRADE: "school",
    OrgType.CLASS: "school",
    OrgType.SCHOOL: "county",
    OrgType.COUNTY: "city",
    OrgType.CITY: "province",
}


def definitions(*kinds: DefinitionKind) -> list[tuple[ReadPack, ReadDefinition]]:
    """Every definition of these kinds in any pack; what cannot be read is told by the check of its pack."""
    return [(pack, one) for pack in PACKS.values() for one in pack.definitions if one.kind in kinds and one.spec is not None]


def names(found: list[tuple[ReadPack, ReadDefinition]]) -> list[str]:
    return [one.key for _pack, one in found]


def samples_of(pack: ReadPack, one: ReadDefinition) -> dict[str, Any]:
    path = pack.folder.path_of(f"samples/{Path(one.file.relative).stem}.yaml")
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if path else {}


def rows_of(pack: ReadPack, one: ReadDefinition) -> list[dict[str, str]]:
    path = pack.folder.path_of(f"samples/{Path(one.file.relative).stem}.csv")
    if path is None:
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class World:
    """The cast with everything installed; `orgs` are made when a sample asks for them."""

    cast: Cast
    experts: list[Any] = field(default_factory=list)
    made: dict[tuple[OrgType, int], OrgData] = field(default_factory=dict)

    def org(self, kind: OrgType, number: int) -> OrgData:
        """The sample org `number` of a type, with a code that files name it by."""
        if (kind, number) not in self.made:
            parent = self.cast.orgs[_PARENTS[kind]].id
            new = NewOrg(parent_id=parent, type=kind, name=f"样例{kind.value}{number}", code=f"{kind.value[:3]}{number:04d}")
            org_id = directory.add_org(actor=SYSTEM, org=new, now=self.cast.now).id
            self.made[kind, number] = directory.orgs_by_ids([org_id])[org_id]
        return self.made[kind, number]

    def known(self, fields: tuple[FieldSpec, ...], data: Mapping[str, Any]) -> dict[str, Any]:
        """Sample data with people, orgs and entries that are really there."""
        told = dict(data)
        for one in fields:
            if one.type == FieldType.TABLE and isinstance(told.get(one.key), list):
                told[one.key] = [self.known(one.columns, row) if isinstance(row, dict) else row for row in told[one.key]]
            elif told.get(one.key) not in (None, ""):
                told[one.key] = self._party(one, told[one.key])
        return told

    def _party(self, one: FieldSpec, value: Any) -> Any:
        if one.type == FieldType.PERSON:
            return {"id": self.experts[0].public_id, "name": self.experts[0].name}
        if one.type == FieldType.ORG:
            return {"id": self.cast.orgs["school"].public_id, "name": self.cast.orgs["school"].name}
        return value


def build_world() -> World:
    cast = build_cast()
    for pack in in_order(PACKS.values()):
        # One that cannot be installed fails its own tests, not those of the others.
        with suppress(Invalid):
            install_pack(actor=SYSTEM, key=pack.key, now=cast.now)
    world = World(cast)
    far = cast.orgs["far_county"].id
    for number in range(POOL):
        person_id = directory.add_person(actor=SYSTEM, person=NewPerson(name=f"专家{number}", is_synthetic=True), now=cast.now).id
        directory.affiliate(
            actor=SYSTEM, person_id=person_id, org_id=far, role=Role.STAFF, begin_date=date(2020, 1, 1), now=cast.now
        )
        world.experts.append(directory.people_by_ids([person_id])[person_id])
    for key in sorted(_pools()):
        _fill_pool(world, definition_named(DefinitionKind.REGISTER, key))
    forget_news()
    return world


def _pools() -> set[str]:
    found: set[str] = set()
    for _pack, one in definitions(DefinitionKind.FLOW):
        assert isinstance(one.spec, FlowSpec)
        for stage in one.spec.stages:
            for who in (stage.who, stage.arbiter, stage.late.tell if stage.late else None):
                found |= set(_pools_of(who))
    return found


def _pools_of(who: Who | None) -> Iterator[str]:
    while who is not None:
        if who.pool:
            yield who.pool
        who = who.otherwise


def _fill_pool(world: World, register: Definition) -> None:
    spec = next(one.spec for _pack, one in definitions(DefinitionKind.REGISTER) if one.key == register.key)
    assert isinstance(spec, RegisterSpec)
    org = world.cast.orgs["far_county"]
    for number, person in enumerate(world.experts):
        Entry.objects.create(
            register=register,
            org_id=org.id,
            org_path=org.path,
            subject_id=person.id,
            label=person.name,
            identity=f"pool{number}",
            state=spec.states[0].key if spec.states else "",
            data={},
            made_at=world.cast.now,
            changed_at=world.cast.now,
        )
