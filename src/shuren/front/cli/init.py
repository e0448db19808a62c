"""`shuren init`: make the database ready, and the first accounts."""

import click
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from shuren.backups import api as backups
from shuren.casework import api as casework
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.front.services.role_holders import TITLES, add_role_holders
from shuren.front.terminal.tables import table
from shuren.identity import api as identity
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.standards import api as standards

OFFICER_OF = {
    OrgType.PROVINCE: Role.PROVINCE_OFFICER,
    OrgType.CITY: Role.CITY_OFFICER,
    OrgType.COUNTY: Role.COUNTY_OFFICER,
    OrgType.GROUP: Role.SCHOOL_ADMIN,
    OrgType.SCHOOL: Role.SCHOOL_ADMIN,
}


def prepare() -> None:
    """Create or upgrade the tables, load the registries, install the packs; safe to run again at any time.

    Raises `Conflict` where a restore did not come to its end.
    """
    backups.refuse_half_restored()
    for folder in ("", "lake", "imports", "keys", "static"):
        (settings.DATA_DIR / folder).mkdir(parents=True, exist_ok=True)
    call_command("migrate", interactive=False, verbosity=0)
    standards.load_registry()
    install_packs()


def install_packs() -> None:
    """Every pack on disk; one with faults keeps none of the others back and is named."""
    _counts, findings = casework.install_all(actor=SYSTEM, now=clock.now())
    for finding in findings:
        click.secho(str(finding), fg="red", err=True)


def make_first_accounts(level: OrgType, root_id: str) -> None:
    """Make the root org where there is none, an officer and the three administrators; print their passwords once."""
    now = clock.now()
    root = directory.root_org()
    if root is None:
        org = NewOrg(parent_id=None, type=level, name=settings.SHUREN_REGION_NAME, sourced_id=root_id)
        root = directory.orgs_by_ids([directory.add_org(actor=SYSTEM, org=org, now=now).id]).popitem()[1]
    if root.type not in OFFICER_OF:
        raise Conflict(f"The root org is a {root.type}; it has no officers.")
    # Three administrators and one officer, four people.
    officer = OFFICER_OF[root.type]
    people = {role: NewPerson(name=title) for role, title in {officer: "平台管理员", **TITLES}.items()}
    added = add_role_holders(people, org_id=root.id, now=now)
    usernames = {id: "officer" if role is officer else role.value.replace("_", "-") for role, id in added.items()}
    identity.create_accounts(actor=SYSTEM, person_ids=list(usernames), usernames=usernames, now=now)
    slips = identity.issue_credentials(actor=SYSTEM, person_ids=list(usernames), now=now)
    rows = [[slip.name, slip.username, slip.password] for slip in slips]
    click.echo(table(["name", "account", "first password, shown once"], rows))


@click.command("init")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--accounts", is_flag=True, help="Also make the first officer and the three administrators.")
@click.option(
    "--level",
    type=click.Choice([level.value for level in OFFICER_OF]),
    default="province",
    show_default=True,
    help="Level of the region.",
)
@click.option("--root-id", default="root", show_default=True, help="Sourced id of the region, as later rosters name it.")
def command(data_dir: str | None, accounts: bool, level: str, root_id: str) -> None:
    """Create or upgrade the database, load the registries, install the packs. Running it again changes nothing."""
    prepare()
    if accounts:
        make_first_accounts(OrgType(level), root_id)
    click.echo(f"Ready: {connection.vendor}, {settings.DATA_DIR}")
