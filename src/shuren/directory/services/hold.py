"""Making others wait: who compares what stands before writing must read it behind this."""

from shuren.directory.models import Org, Person


def hold_person(person_id: int) -> None:
    """Let nobody else write the person's row until the caller's transaction ends; SQLite has one writer anyway."""
    Person.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk").first()


def hold_org(org_id: int) -> None:
    """Let nobody else write the org's row until the caller's transaction ends; SQLite has one writer anyway."""
    Org.objects.select_for_update(no_key=True).filter(pk=org_id).values_list("pk").first()
