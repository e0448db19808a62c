"""Run as a program: give the web bench one officer per level, heads and class teachers to sign in as."""

import json
import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
django.setup()

from django.conf import settings  # noqa: E402  # after django.setup

from shuren.directory import api as directory  # noqa: E402
from shuren.directory.data import Role  # noqa: E402
from shuren.identity import api as identity  # noqa: E402
from shuren.kernel import clock  # noqa: E402
from shuren.kernel.data import SYSTEM  # noqa: E402

WANTED = {Role.PROVINCE_OFFICER: 2, Role.CITY_OFFICER: 4, Role.COUNTY_OFFICER: 8, Role.HEAD: 16, Role.CLASS_TEACHER: 16}


def main() -> None:
    root = directory.root_org()
    assert root is not None
    cast = {}
    for role, count in WANTED.items():
        for person in directory.people_of_org(root.path, roles={role}, limit=count):
            name = f"{role.value}-{person.id}"
            identity.create_accounts(actor=SYSTEM, person_ids=[person.id], usernames={person.id: name}, now=clock.now())
            identity.set_password(
                actor=SYSTEM, person_id=person.id, password="bench-2026-pass", must_change=False, now=clock.now()
            )
            cast[name] = {"username": name, "password": "bench-2026-pass", "role": role.value}
    Path(settings.DATA_DIR, "cast.json").write_text(json.dumps(cast))


if __name__ == "__main__":
    main()
