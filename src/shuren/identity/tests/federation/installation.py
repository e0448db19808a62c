"""A whole installation of its own, on SQLite, run as its own process: the province above, or the city below it.

`python installation.py FOLDER ADDRESS PORT ROLE` says in lines of JSON what it made, and hears in one what the other made.
"""

import json
import os
import sys
from datetime import date
from typing import Any

FOLDER, ADDRESS, PORT, ROLE = sys.argv[1:5]
HOME = f"http://{ADDRESS}:{PORT}"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
    "SHUREN_DATA_DIR": FOLDER,
    "SHUREN_DATABASE_URL": "",
    "SHUREN_PUBLIC_URL": HOME,
    "SHUREN_ALLOWED_HOSTS": ADDRESS,
    "SHUREN_PRIVATE_TARGETS": "127.0.0.0/8",
}

import django  # noqa: E402  # the settings of this process come first

django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from shuren.directory import api as directory  # noqa: E402
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role  # noqa: E402
from shuren.identity import api as identity  # noqa: E402
from shuren.identity.data import NewClient  # noqa: E402
from shuren.identity.services.upstream.register import NewUpstream, register_upstream  # noqa: E402
from shuren.kernel import clock, ids  # noqa: E402
from shuren.kernel.data import SYSTEM  # noqa: E402
from shuren.standards.api import load_registry  # noqa: E402

PASSWORD = f"Kx9-{ROLE}-plenty"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_words: object) -> None: ...


def people() -> int:
    """The same school and teacher on both sides, with numbers of one series; returns the school."""
    kind = OrgType.PROVINCE if ROLE == "province" else OrgType.CITY
    root = directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=kind, name=ROLE), now=clock.now())
    new = NewOrg(parent_id=root.id, type=OrgType.SCHOOL, name="东湖小学")
    school = directory.add_org(actor=SYSTEM, org=new, now=clock.now())
    person = directory.add_person(actor=SYSTEM, person=NewPerson(name="陈立新", is_synthetic=True), now=clock.now())
    day = date(2020, 9, 1)
    directory.affiliate(actor=SYSTEM, person_id=person.id, org_id=school.id, role=Role.TEACHER, begin_date=day, now=clock.now())
    identity.create_accounts(actor=SYSTEM, person_ids=[person.id], usernames={person.id: ROLE}, now=clock.now())
    identity.set_password(actor=SYSTEM, person_id=person.id, password=PASSWORD, must_change=False, now=clock.now())
    doors = [f"/upstream/{ids.encode('upstream', row)}/" for row in (1, 2)]
    say(number=directory.people_by_ids([person.id])[person.id].number, doors=doors)
    return root.id


def take_in(root: int, heard: dict[str, Any]) -> None:
    if ROLE == "city":
        for facts in heard["upstreams"]:
            new = NewUpstream(name="省平台", kind="oidc", org_id=root, claim="shuren_number", **facts)
            register_upstream(actor=SYSTEM, upstream=new, now=clock.now())
        return say(ready=True)
    made = []
    for redirect_uri, scopes in heard["clients"]:
        new_client = NewClient(name="city", redirect_uris=(redirect_uri,), scopes=frozenset(scopes), is_first_party=True)
        client = identity.register_client(actor=SYSTEM, client=new_client, now=clock.now())
        made.append({"client_id": client.client_id, "secret": client.client_secret})
    return say(clients=made)


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    load_registry()
    take_in(people(), json.loads(sys.stdin.readline()))
    server = ThreadedWSGIServer((ADDRESS, int(PORT)), Quiet)
    server.set_app(get_wsgi_application())
    server.serve_forever()
