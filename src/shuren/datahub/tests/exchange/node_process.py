"""Another installation as a process of its own: its own database, data folder and keys, called over the network.

Called as `python -m shuren.datahub.tests.exchange.node_process DATABASE DATA_FOLDER INVITATION`. It takes the invitation up, says
its fingerprint, its port and its datasets on lines of JSON, and does one thing for each line it reads.
"""

import json
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.db import connection, connections

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402  # the app needs the setup above

from shuren.datahub.data import Carriage  # noqa: E402
from shuren.datahub.models import ExchangeAgreement, ExchangeNode  # noqa: E402
from shuren.datahub.selectors.exchange.own_node import own_card  # noqa: E402
from shuren.datahub.services.exchange import keep_node  # noqa: E402
from shuren.datahub.services.exchange.agree import accept_agreement  # noqa: E402
from shuren.datahub.services.exchange.exchange_with import exchange_with  # noqa: E402
from shuren.datahub.services.exchange.introduce import introduce_node  # noqa: E402
from shuren.datahub.services.exchange.introduce_now import introduce_now  # noqa: E402
from shuren.directory import api as directory  # noqa: E402
from shuren.kernel import clock  # noqa: E402
from shuren.kernel.data import Actor  # noqa: E402
from shuren.work.api import run_pending  # noqa: E402


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the one it replaces
        """The other side reads our lines."""


def say(**told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def serve(port: int) -> int:
    server = make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet)

    def run() -> None:
        server.serve_forever()
        connections.close_all()

    threading.Thread(target=run, daemon=True).start()
    return int(server.server_port)


def obey(word: str, node: ExchangeNode, officer: Actor) -> None:
    now = clock.now()
    if word.startswith("trust "):
        node.refresh_from_db()
        org = directory.root_org()
        assert org is not None
        keep_node.trust_node(actor=officer, node_id=node.pk, spoken=word[6:], org_id=org.id, carriage=Carriage.CALL, now=now)
        say(done=True)
    elif word == "accept":
        row = ExchangeAgreement.objects.get(is_sender=False)
        accept_agreement(actor=officer, agreement_id=row.pk, now=now)
        say(error=exchange_with(node.pk, now=now))
    elif word == "turn":
        error = exchange_with(node.pk, now=now)
        run_pending()
        say(error=error)


if __name__ == "__main__":
    database, folder, invitation, person = sys.argv[1:]
    connection.settings_dict["NAME"] = database
    settings.DATA_DIR = Path(folder)
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8"]
    officer = Actor(person_id=int(person), account_id=None, name="officer")
    port = serve(0)
    settings.SHUREN_PUBLIC_URL = f"http://127.0.0.1:{port}"
    node = introduce_node(actor=officer, text=invitation, now=clock.now())
    introduce_now(node)
    node.refresh_from_db()
    card = own_card()
    assert card is not None
    say(fingerprint=card.fingerprint, seen=node.fingerprint, error=node.error, port=port)
    for line in sys.stdin:
        obey(line.strip(), node, officer)
