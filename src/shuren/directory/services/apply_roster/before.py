"""The rows an import changes or ends, as they stood: kept in the import's folder so that it can be undone."""

from collections.abc import Iterator
from pathlib import Path

from django.core import serializers
from django.db.models import Model
from django.utils.translation import gettext as _

from shuren.directory.models import AcademicSession, Affiliation, ClassDetail, Course, Enrollment, GuardianLink, Org, Person
from shuren.directory.models.rosters import Roster, moment
from shuren.directory.rules.roster.kinds import KINDS, Kind
from shuren.directory.services.check_roster.held import pull_cells
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.errors import Conflict

MODELS: dict[str, type[Model]] = {
    "session": AcademicSession,
    "org": Org,
    "course": Course,
    "person": Person,
    "affiliation": Affiliation,
    "enrollment": Enrollment,
    "link": GuardianLink,
}
_CHUNK = 5_000


def before_file(folder: Path) -> Path:
    return folder / "before.jsonl"


def check_unmoved(stage: Stage) -> None:
    """Refuse to apply when a row that will change is no longer as it was when the difference was shown."""
    for kind in KINDS:
        name = kind.name
        if not stage.value(f"SELECT count(*) FROM was_{name}"):
            continue
        stage.duck.execute(f"CREATE OR REPLACE TABLE then_{name} AS SELECT * FROM was_{name}")
        pull_cells(stage, kind, f"SELECT id FROM then_{name}")
        if stage.value(f"SELECT count(*) FROM (SELECT * FROM then_{name} EXCEPT SELECT * FROM was_{name})"):
            raise Conflict(_("检查之后，名册中的数据又有了变化。"), remedy=_("请重新检查这个文件，再导入。"))


def touched_ids(stage: Stage, kind: Kind) -> list[int]:
    name = kind.name
    return [
        row[0]
        for row in stage.rows(f"SELECT id FROM diff_{name} WHERE action = 'change' UNION SELECT id FROM end_{name} ORDER BY 1")
    ]  # constants


def keep_before(stage: Stage) -> None:
    """Write every row that will change or end, one JSON line each, classes with their details and terms."""
    with before_file(stage.folder).open("w", encoding="utf-8") as file:
        for kind in KINDS:
            ids = touched_ids(stage, kind)
            for model, key in ((MODELS[kind.name], "pk"), *(((ClassDetail, "org_id"),) if kind.name == "org" else ())):
                for start in range(0, len(ids), _CHUNK):
                    rows = model._default_manager.filter(**{f"{key}__in": ids[start : start + _CHUNK]}).order_by("pk")
                    serializers.serialize("jsonl", rows, stream=file, ensure_ascii=False)


def restore_before(folder: Path) -> Iterator[Model]:
    """Put the kept rows back; yields each, so that the caller can mend what hangs on it."""
    path = before_file(folder)
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for kept in serializers.deserialize("jsonl", file):
            if isinstance(kept.object, Roster):
                kept.object.modified_at = moment()
            kept.save()
            yield kept.object
