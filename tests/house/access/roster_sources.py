"""Sources of rosters: whoever may import rosters of the branch, and nobody else."""

from django.apps import apps

from shuren.kernel import ids
from shuren.trust.api import seal
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, OFFICERS, ROOT, Address, Area, act, call, form, page

ADDRESSES: dict[str, Address] = {
    "interop:roster_sources": page(MANAGERS),
    "interop:add_roster_source": form(MANAGERS),
    "interop:roster_source": page(OFFICERS, ROOT, source_id="roster_source"),
    "interop:correct_roster_source": form(OFFICERS, ROOT, source_id="roster_source"),
    "interop:ask_roster_pull": act(OFFICERS, ROOT, source_id="roster_source"),
    "interop:ask_full_roster_pull": act(OFFICERS, ROOT, source_id="roster_source"),
    "interop:pause_roster_source": act(OFFICERS, ROOT, source_id="roster_source"),
    "interop:resume_roster_source": act(OFFICERS, ROOT, source_id="roster_source"),
    "interop:roster_pull": page(OFFICERS, ROOT, pull_id="roster_pull"),
    "interop:drop_roster_pull": act(OFFICERS, ROOT, pull_id="roster_pull"),
    "api-v1:list_roster_sources": call(MANAGERS),
    "api-v1:list_roster_pulls": call(OFFICERS, ROOT, source_id="roster_source"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A source of the near county and one of the far, each with a turn that waits."""
    sources, pulls = [], []
    for place in ("county", "far_county"):
        source = apps.get_model("interop.RosterSource").objects.create(
            org_id=cast.orgs[place].id,
            name=f"{cast.orgs[place].name}教务",
            address="https://sis.example.cn/ims/oneroster/rostering/v1p2",
            token_address="https://sis.example.cn/token",
            client_id="shuren",
            secret_sealed=seal(b"secret", purpose="interop.roster_source"),
            mode="ask",
            owner_name="周志强",
            created_at=cast.now,
        )
        pull = apps.get_model("interop.RosterPull").objects.create(
            source=source, kind="full", status="waiting", begun_at=cast.now
        )
        sources.append(ids.encode("roster_source", source.pk))
        pulls.append(ids.encode("roster_pull", pull.pk))
    return {"roster_source": (sources[0], sources[1]), "roster_pull": (pulls[0], pulls[1])}


AREA = Area(ADDRESSES, places)
