"""Two installations in one process: the log is ours, the witness keeps its key and its memory beside."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.outward import Answer
from shuren.trust import api
from shuren.trust.models import Cosignature, HeadDelivery, LogEntry, TreeHead, WitnessedHead
from shuren.trust.rules.log.checkpoint import checkpoint_text, read_checkpoint
from shuren.trust.rules.log.merkle import tree_hash
from shuren.trust.rules.log.witness import WitnessRefused, request_text
from shuren.trust.services.log.delivering import NotDelivered, deliver_heads
from shuren.trust.services.log.growing import grow_log
from shuren.trust.services.log.signing import ensure_witness_key, signed_note
from shuren.trust.services.log.witnessing import add_checkpoint
from shuren.trust.tests.test_log import put

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def answered(url: str, body: bytes) -> Answer:
    """The witness as another server would answer."""
    try:
        return Answer(200, add_checkpoint(body.decode(), now=NOW).encode(), {})
    except WitnessRefused as refusal:
        return Answer(refusal.status, refusal.text.encode(), {})


@pytest.fixture
def watched(log_folder: Path, settings: Any) -> Callable[[int], Any]:
    """Grow the log by so many entries and return the newest head."""

    def grow(count: int) -> Any:
        put(count)
        grow_log(now=NOW)
        settings.SHUREN_EVIDENCE_WITNESSED = api.log_keys()
        return api.tree_head()

    grow(3)
    settings.SHUREN_EVIDENCE_WITNESSES = [f"https://b.example/evidence {ensure_witness_key(now=NOW).text}"]
    return grow


def refused(body: str) -> int:
    with pytest.raises(WitnessRefused) as refusal:
        add_checkpoint(body, now=NOW)
    return refusal.value.status


def test_heads_are_cosigned_and_the_lines_travel_with_proofs(watched: Callable[[int], Any]) -> None:
    watched(300)
    assert deliver_heads(now=NOW, post=answered) == {"sent": 1, "failed": 0}
    watched(10)
    assert deliver_heads(now=NOW, post=answered) == {"sent": 1, "failed": 0}
    assert deliver_heads(now=NOW, post=answered) == {"sent": 0, "failed": 0}
    assert list(Cosignature.objects.values_list("head__size", flat=True).order_by("pk")) == [303, 313]
    (proof,) = api.proofs_of([LogEntry.objects.earliest("pk").pk]).values()
    verdict = api.verify_proof(proof, log_keys=api.log_keys(), witness_keys=[ensure_witness_key(now=NOW).text])
    assert verdict.is_valid
    assert verdict.witnesses == ((ensure_witness_key(now=NOW).name, NOW),)
    assert WitnessedHead.objects.get().size == 313


def test_a_witness_that_knows_less_than_we_believe_is_asked_again(watched: Callable[[int], Any]) -> None:
    watched(5)
    deliver_heads(now=NOW, post=answered)
    WitnessedHead.objects.update(size=0, root=b"", note="")
    watched(5)
    assert deliver_heads(now=NOW, post=answered) == {"sent": 1, "failed": 0}


def test_a_log_that_was_rolled_back_is_refused_and_that_is_kept(watched: Callable[[int], Any]) -> None:
    long = watched(5)
    WitnessedHead.objects.create(origin=long.origin, size=20, root=b"x" * 32, note=long.note, at=NOW)
    assert deliver_heads(now=NOW, post=answered) == {"sent": 0, "failed": 1}
    assert "another history" in HeadDelivery.objects.get().answer
    assert Cosignature.objects.count() == 0


def test_two_histories_are_never_cosigned(watched: Callable[[int], Any]) -> None:
    head = watched(5)
    deliver_heads(now=NOW, post=answered)
    other = signed_note(checkpoint_text(origin=head.origin, size=8, root=b"y" * 32, hash_algorithm=head.hash_algorithm), now=NOW)
    longer = signed_note(checkpoint_text(origin=head.origin, size=9, root=b"y" * 32, hash_algorithm=head.hash_algorithm), now=NOW)
    assert refused(request_text(old_size=8, path=[], note=other)) == 409
    assert refused(request_text(old_size=8, path=[b"y" * 32] * 2, note=longer)) == 422
    assert refused(request_text(old_size=3, path=[], note=longer)) == 409
    assert refused(request_text(old_size=10, path=[], note=longer)) == 400
    assert WitnessedHead.objects.get().root == head.root
    assert add_checkpoint(request_text(old_size=8, path=[], note=head.note), now=NOW)


def test_strangers_and_forgers_are_refused(watched: Callable[[int], Any], settings: Any) -> None:
    head = watched(1)
    unsigned = head.note.replace(head.note.rpartition(" ")[2], "AAAAAAAA\n")
    assert refused(request_text(old_size=0, path=[], note=unsigned)) == 403
    assert refused("old 0\n\nnothing") == 400
    assert refused("") == 400
    assert refused(request_text(old_size=0, path=[b"x" * 32] * 64, note=head.note)) == 400
    assert refused(request_text(old_size=0, path=[b"x"], note=head.note)) == 400
    assert refused(f"old 00\n\n{head.note}") == 400
    settings.SHUREN_EVIDENCE_WITNESSED = []
    assert refused(request_text(old_size=0, path=[], note=head.note)) == 404
    assert WitnessedHead.objects.filter(size__gt=0).count() == 0


def test_a_line_that_does_not_hold_is_not_kept(watched: Callable[[int], Any]) -> None:
    watched(1)
    lying = lambda _url, _body: Answer(200, b"\xe2\x80\x94 nobody AAAA\n", {})  # noqa: E731  # one line, used once
    assert deliver_heads(now=NOW, post=lying) == {"sent": 0, "failed": 1}
    assert Cosignature.objects.count() == 0


def test_a_place_that_was_away_gets_the_newest_head_only(log_folder: Path, settings: Any, tmp_path: Path) -> None:
    settings.SHUREN_EVIDENCE_ANCHORS = [f"file:{tmp_path / 'elsewhere'}", "https://notary.example/heads"]
    got: list[bytes] = []

    def away(url: str, body: bytes) -> Answer:
        raise NotDelivered("ConnectTimeout")

    def there(url: str, body: bytes) -> Answer:
        got.append(body)
        return Answer(202, b"receipt 7", {})

    put(1)
    grow_log(now=NOW)
    assert deliver_heads(now=NOW, post=away) == {"sent": 1, "failed": 1}
    put(1)
    grow_log(now=NOW)
    assert deliver_heads(now=NOW, post=there) == {"sent": 2, "failed": 0}
    assert [read_checkpoint(body.decode()).size for body in got] == [2]
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == [
        "0000000000000001.checkpoint",
        "0000000000000002.checkpoint",
    ]
    outbox = HeadDelivery.objects.filter(target__startswith="https").order_by("head__size")
    assert [(row.attempts, row.answer) for row in outbox] == [(1, "ConnectTimeout"), (1, "receipt 7")]


def test_a_kept_head_is_never_written_over(log_folder: Path, settings: Any, tmp_path: Path) -> None:
    settings.SHUREN_EVIDENCE_ANCHORS = [f"file:{tmp_path / 'elsewhere'}"]
    put(1)
    grow_log(now=NOW)
    head = TreeHead.objects.get()
    hasher = tree_hash(read_checkpoint(head.note).hash_algorithm)
    text = checkpoint_text(origin="x/evidence", size=1, root=hasher.leaf(b"other"), hash_algorithm=hasher.algorithm)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "0000000000000001.checkpoint").write_text(signed_note(text, now=NOW))
    assert deliver_heads(now=NOW) == {"sent": 0, "failed": 1}
    assert "says something else" in HeadDelivery.objects.get().answer


OTHER = """
import sys
import django; django.setup()
from datetime import UTC, datetime
from shuren.trust import api
from shuren.trust.rules.log.witness import WitnessRefused
now = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
if sys.argv[1] == "key":
    from shuren.trust.services.log.signing import ensure_witness_key
    print(ensure_witness_key(now=now).text)
else:
    try:
        print(200, api.add_checkpoint(sys.stdin.read(), now=now), end="")
    except WitnessRefused as refusal:
        print(refusal.status, refusal.text)
"""


@pytest.mark.skipif("os.environ.get('SHUREN_DATABASE_URL')", reason="the other installation keeps a SQLite of its own")
def test_another_installation_with_a_database_of_its_own_cosigns(log_folder: Path, settings: Any, tmp_path: Path) -> None:
    put(3)
    grow_log(now=NOW)
    environment = os.environ | {
        "SHUREN_DATA_DIR": str(tmp_path / "other"),
        "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
        "SHUREN_EVIDENCE_ORIGIN": "b.example/evidence",
        "SHUREN_EVIDENCE_WITNESSED": api.log_keys()[0],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }

    def other(word: str, body: bytes = b"") -> str:
        done = subprocess.run([sys.executable, "-c", OTHER, word], env=environment, input=body, capture_output=True, check=True)
        return done.stdout.decode()

    def ask(url: str, body: bytes) -> Answer:
        status, _blank, text = other("ask", body).partition(" ")
        return Answer(int(status), text.encode(), {})

    subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], env=environment, check=True)
    settings.SHUREN_EVIDENCE_WITNESSES = [f"https://b.example/evidence {other('key').strip()}"]
    put(400)
    grow_log(now=NOW)
    assert deliver_heads(now=NOW, post=ask) == {"sent": 1, "failed": 0}
    put(20)
    grow_log(now=NOW)
    assert deliver_heads(now=NOW, post=ask) == {"sent": 1, "failed": 0}
    head = api.tree_head()
    assert head is not None
    assert head.witnesses == ("b.example/evidence/witness",)
    # Whoever owns our database and our key writes another history of the same length: the other one has seen ours.
    text = checkpoint_text(origin=head.origin, size=head.size, root=b"z" * 32, hash_algorithm=head.hash_algorithm)
    forged = signed_note(text, now=NOW)
    assert ask("", request_text(old_size=head.size, path=[], note=forged).encode()).status == 409
    assert ask("", request_text(old_size=0, path=[], note=forged).encode()).status == 409
