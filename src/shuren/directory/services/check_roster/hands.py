"""What a roster hands out: no two roles that exclude each other, nothing to oneself, and strong roles by four eyes."""

from datetime import date, datetime

from django.db.models import Q

from shuren.directory.data import EnrollmentRole, Role
from shuren.directory.models import Grant, Person
from shuren.directory.rules.permissions import ADMINS, GIVEN_ROLES, STRONG, excluded_from_administering
from shuren.directory.rules.roster.checks import Check, quoted
from shuren.directory.rules.roster.kinds import ENROLLMENT
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor

_OFFICES = quoted([role.value for role in Role if role in STRONG - ADMINS])
_GIVEN = quoted([role.value for role in Role if role in GIVEN_ROLES])
# A row that stands so already gives nothing.
_NEW_ROLE = (
    "t.sid NOT IN (SELECT h.sid FROM have_affiliation h WHERE h.holds AND h.c = t.role AND h.b = t.org AND h.a = t.person)"
)
_SAME_PLACE = f"h.hash = md5(concat_ws(chr(31), {', '.join(f't.{cell}' for cell in ENROLLMENT.cells)}))"
_NEW_PLACE = f"t.sid NOT IN (SELECT h.sid FROM have_enrollment h WHERE h.holds AND h.sid = t.sid AND {_SAME_PLACE})"


def _lasts(day: date) -> str:
    return f"t.status <> 'tobedeleted' AND (t.end_date = '' OR t.end_date > '{day.isoformat()}')"


def check_exclusions(stage: Stage, *, now: datetime) -> int:
    """Nobody who administers the house becomes what reads people, whoever brings the file; administrators are few."""
    in_force = Grant.objects.filter(Q(end_at__isnull=True) | Q(end_at__gt=now), role__in=ADMINS, revoked_at__isnull=True)
    stage.duck.execute(
        "CREATE OR REPLACE TABLE administrator AS SELECT unnest(?::VARCHAR[]) AS sid",
        [list(in_force.values_list("person__sourced_id", flat=True).distinct())],
    )
    _pick(stage, "affiliation", f"t.role IN ({quoted([role.value for role in excluded_from_administering()])})", now)
    _pick(stage, "enrollment", f"t.role = '{EnrollmentRole.TEACHER.value}' AND t.is_primary = 'true'", now)
    checks = (("affiliation", _NEW_ROLE), ("enrollment", _NEW_PLACE))
    return stage.run(
        Check("excluded_role", table, "role", f"SELECT t.src, t.row, t.role, '' FROM their_{table} t WHERE {is_new}")
        for table, is_new in checks
    )


def _pick(stage: Stage, table: str, condition: str, now: datetime) -> None:
    """`their_<table>`: the few rows about administrators, before each is compared with what is held."""
    theirs = f"t.person IN (SELECT sid FROM administrator) AND {_lasts(day_of(now))}"
    stage.duck.execute(f"CREATE OR REPLACE TABLE their_{table} AS SELECT t.* FROM {table} t WHERE {condition} AND {theirs}")


def check_own_roles(stage: Stage, actor: Actor, *, now: datetime) -> int:
    """Nobody gives a role to themself by bringing a file."""
    own = Person.objects.filter(pk=actor.person_id or 0).values_list("sourced_id", flat=True).first()
    if own is None:
        return 0
    stage.duck.execute("CREATE OR REPLACE TABLE importer AS SELECT ?::VARCHAR AS sid", [own])
    sql = (
        f"SELECT t.src, t.row, t.role, '' FROM affiliation t WHERE t.role IN ({_GIVEN}) "
        f"AND t.person IN (SELECT sid FROM importer) AND {_lasts(day_of(now))} AND {_NEW_ROLE}"
    )
    return stage.run([Check("role_to_oneself", "affiliation", "role", sql)])


def part_offices(stage: Stage, actor: Actor, *, now: datetime) -> int:
    """Move new strong roles out of the difference into `office`, where they wait; asked once the difference is known.

    What the installation itself brings is written at once: it stands for both pairs of eyes, as with grants. Returns the
    errors: rows that would turn a held role into a strong one, or make one last longer.
    """
    stage.duck.execute("CREATE OR REPLACE TABLE office AS SELECT t.* FROM affiliation t WHERE false")
    if actor.is_system:
        return 0
    strong = f"t.role IN ({_OFFICES}) AND {_lasts(day_of(now))}"
    stage.duck.execute(
        "INSERT INTO office SELECT t.* FROM affiliation t "
        f"WHERE t.sid IN (SELECT sid FROM diff_affiliation WHERE action = 'add') AND {strong}"
    )
    stage.duck.execute("DELETE FROM diff_affiliation WHERE action = 'add' AND sid IN (SELECT sid FROM office)")
    is_no_more = (
        "h.holds AND w.role = t.role AND w.org = t.org AND w.person = t.person "
        "AND (w.end_date = '' OR (t.end_date <> '' AND t.end_date <= w.end_date))"
    )
    widened = (
        "SELECT t.src, t.row, t.role, '' FROM affiliation t JOIN diff_affiliation d USING (sid) "
        "JOIN have_affiliation h ON h.id = d.id JOIN was_affiliation w ON w.id = d.id "
        f"WHERE d.action = 'change' AND {strong} AND NOT ({is_no_more})"
    )
    waiting = "SELECT t.src, t.row, t.role, '' FROM office t"
    return stage.run(
        [
            Check("strong_widened", "affiliation", "role", widened),
            Check("strong_waits", "affiliation", "role", waiting, is_error=False),
        ]
    )
