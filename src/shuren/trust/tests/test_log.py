import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.trust import api
from shuren.trust.data import Business
from shuren.trust.models import Log, LogEntry, TreeHead
from shuren.trust.rules.log.checkpoint import NoteBroken, read_checkpoint
from shuren.trust.rules.log.merkle import is_consistent, tree_hash
from shuren.trust.selectors.checks import faults_of_log
from shuren.trust.services.log import growing
from shuren.trust.services.log.growing import LogBroken, give_places, grow_log, opened_log

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 9, 0, 0, 123456, tzinfo=UTC)


def put(count: int, business: Business = Business.SCORE) -> list[int]:
    first = LogEntry.objects.count()
    items = ((f"run:{number}", number.to_bytes(32, "big")) for number in range(first, first + count))
    return api.anchor_many(business=business, items=items, now=NOW)


def test_an_entry_has_no_proof_until_a_head_covers_it(log_folder: Path) -> None:
    entry = api.anchor(business=Business.SCORE, subject="run:1", digest=b"d" * 32, now=NOW)
    assert api.tree_head() is None
    assert api.proof_of(entry) is None
    assert grow_log(now=NOW) == 1
    proof = api.proof_of(entry)
    assert proof is not None
    assert (proof.leaf_index, proof.tree_size, proof.path) == (0, 1, ())
    assert api.verify_proof(proof, log_keys=api.log_keys()).is_valid


def test_many_at_once_are_written_as_one_alone_is() -> None:
    items = [("run:1", b"\x00\t\n\\" * 8), ("a\ttab\r\n\\N and \\x41 树", b"d" * 32)] + [
        (f"run:{n}", b"e" * 32) for n in range(2_500)
    ]
    ids = api.anchor_many(business=Business.EXAM, items=iter(items), now=NOW)
    alone = api.anchor(business=Business.EXAM, subject="run:last", digest=b"f" * 32, now=NOW)
    rows = list(LogEntry.objects.order_by("pk"))
    assert [row.pk for row in rows] == [*ids, alone]
    assert [(row.subject, bytes(row.digest)) for row in rows[:-1]] == items
    milliseconds = NOW.replace(microsecond=123_000)
    assert {(row.business, row.at, row.leaf_index) for row in rows} == {(Business.EXAM.value, milliseconds, None)}
    assert len({bytes(row.salt) for row in rows}) == len(rows)
    assert {len(bytes(row.salt)) for row in rows} == {16}


def test_a_digest_or_subject_of_the_wrong_length_is_refused_among_many() -> None:
    for bad in [("run:1", b"short"), ("", b"d" * 32), ("s" * 151, b"d" * 32)]:
        with pytest.raises(ValueError, match="32 bytes"):
            api.anchor_many(business=Business.EXAM, items=[("run:0", b"d" * 32), bad], now=NOW)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("algorithm", ["SM3", "SHA-256"])
def test_every_entry_of_a_grown_log_is_proved_through_json(log_folder: Path, settings: Any, algorithm: str) -> None:
    settings.SHUREN_EVIDENCE_HASH = algorithm
    ids = put(300)
    grow_log(now=NOW)
    ids += put(250)
    grow_log(now=NOW)
    proofs = api.proofs_of(ids)
    assert sorted(proof.leaf_index for proof in proofs.values()) == list(range(550))
    for proof in proofs.values():
        again = api.read_proof(api.proof_as_json(proof))
        assert api.verify_proof(again, log_keys=api.log_keys()).is_valid
    assert ("hash SM3\n" in next(iter(proofs.values())).checkpoint) == (algorithm == "SM3")


def test_heads_grow_out_of_each_other(log_folder: Path) -> None:
    for count in (1, 255, 3, 600):
        put(count)
        grow_log(now=NOW)
    heads = api.tree_heads(10)
    assert [head.size for head in heads] == [859, 259, 256, 1]
    hasher = tree_hash(heads[0].hash_algorithm)
    for old in heads[1:]:
        path = api.consistency(old=old.size, new=859)
        assert is_consistent(old.size, 859, old.root, heads[0].root, path, hasher)


def test_a_changed_proof_does_not_hold(log_folder: Path) -> None:
    ids = put(5)
    grow_log(now=NOW)
    proof = api.proof_of(ids[2])
    assert proof is not None
    changes: list[dict[str, Any]] = [
        {"business": Business.EXAM},
        {"subject": "run:9"},
        {"digest": b"x" * 32},
        {"salt": b"x" * 16},
        {"at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"leaf_index": 3},
        {"tree_size": 6},
        {"origin": "elsewhere"},
        {"path": proof.path[:-1]},
        {"path": (*proof.path, b"x" * 32)},
        {"path": proof.path[::-1]},
        {"checkpoint": proof.checkpoint.replace("\n5\n", "\n6\n")},
        {"checkpoint": "nothing"},
        {"digest": b"short"},
    ]
    for change in changes:
        assert not api.verify_proof(dataclasses.replace(proof, **change), log_keys=api.log_keys()).is_valid, change
    other = "elsewhere+00000000+" + api.log_keys()[0].split("+")[2]
    assert not api.verify_proof(proof, log_keys=[]).is_valid
    assert not api.verify_proof(proof, log_keys=[other]).is_valid


def test_public_tiles_show_neither_subject_nor_digest(log_folder: Path) -> None:
    api.anchor(business=Business.HONOUR, subject="certificate:77", digest=b"d" * 32, now=NOW)
    grow_log(now=NOW)
    everything = b"".join(path.read_bytes() for path in log_folder.rglob("*") if path.is_file())
    assert everything
    assert b"certificate:77" not in everything
    assert b"dddd" not in everything


@pytest.mark.parametrize("kinds", [["SM2"], ["ES256"], ["Ed25519", "SM2"]])
def test_heads_are_signed_in_every_kind_asked_for(log_folder: Path, settings: Any, kinds: list[str]) -> None:
    settings.SHUREN_EVIDENCE_SIGNATURES = kinds
    (entry,) = put(1)
    grow_log(now=NOW)
    proof = api.proof_of(entry)
    assert proof is not None
    assert len(api.log_keys()) == len(kinds)
    for key in api.log_keys():
        assert api.verify_proof(proof, log_keys=[key]).is_valid
        name, _key_id, _data = key.split("+", 2)
        swapped = proof.checkpoint.replace("\n1\n", "\n2\n")
        assert not api.verify_proof(dataclasses.replace(proof, checkpoint=swapped, tree_size=2), log_keys=[key]).is_valid
        assert name == proof.origin


def test_old_heads_hold_after_the_key_was_turned_over(log_folder: Path) -> None:
    put(1)
    grow_log(now=NOW)
    api.rotate_key(name="evidence.log.ed25519", now=NOW)
    put(1)
    grow_log(now=NOW)
    assert len(api.log_keys()) == 2
    assert faults_of_log() == []


def test_what_a_transaction_takes_back_is_not_on_record(log_folder: Path) -> None:
    from_before = put(1)
    LogEntry.objects.filter(pk__in=put(1)).delete()
    grow_log(now=NOW)
    assert list(LogEntry.objects.values_list("pk", flat=True)) == from_before


def test_a_late_commit_gets_a_later_place(log_folder: Path) -> None:
    early, late = put(2)
    opened_log(now=NOW)
    LogEntry.objects.filter(pk=early).update(leaf_index=10**9)  # not there yet, as before its commit
    grow_log_with_only = give_places()
    assert grow_log_with_only == 1
    LogEntry.objects.filter(pk=early).update(leaf_index=None)
    grow_log(now=NOW)
    assert dict(LogEntry.objects.values_list("pk", "leaf_index")) == {late: 0, early: 1}


def test_nothing_to_do_signs_nothing(log_folder: Path) -> None:
    put(3)
    grow_log(now=NOW)
    grow_log(now=NOW)
    assert TreeHead.objects.count() == 1


class Killed(BaseException):
    pass


@pytest.mark.parametrize("stage", ["give_places", "write_tiles", "publish_head", "half the files"])
def test_a_kill_at_any_stage_loses_nothing_and_forks_nothing(
    log_folder: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    put(300)
    grow_log(now=NOW)
    before = api.tree_head()
    ids = put(500)

    def die(*_args: object, **_kwargs: object) -> None:
        raise Killed

    def write_half(folder: Path, files: list[Any]) -> None:
        really(folder, files[: len(files) // 2])
        raise Killed

    really = growing.write_tiles
    with monkeypatch.context() as patch:
        if stage == "half the files":
            patch.setattr(growing, "write_tiles", write_half)
        else:
            patch.setattr(growing, stage, die)
        with pytest.raises(Killed):
            grow_log(now=NOW)
    assert api.tree_head() == before
    left = {path: path.read_bytes() for path in log_folder.rglob("*") if path.is_file()}
    put(20)
    grow_log(now=NOW)
    assert all(path.read_bytes() == data for path, data in left.items())
    head = api.tree_head()
    assert head is not None
    assert before is not None
    assert head.size == 820
    path = api.consistency(old=before.size, new=head.size)
    assert is_consistent(before.size, head.size, before.root, head.root, path, tree_hash(head.hash_algorithm))
    assert all(api.verify_proof(proof, log_keys=api.log_keys()).is_valid for proof in api.proofs_of(ids).values())


def test_no_head_is_signed_over_a_changed_past(log_folder: Path) -> None:
    put(300)
    grow_log(now=NOW)
    tile = log_folder / "tile/1/000.p/1"
    tile.write_bytes(b"x" * 32)
    put(1)
    with pytest.raises(LogBroken):
        grow_log(now=NOW)
    assert TreeHead.objects.count() == 1


def test_a_missing_row_is_noticed_before_anything_is_signed(log_folder: Path) -> None:
    put(2)
    opened_log(now=NOW)
    give_places()
    LogEntry.objects.filter(leaf_index=0).delete()
    with pytest.raises(LogBroken):
        grow_log(now=NOW)


def test_the_hash_of_a_log_never_changes(log_folder: Path, settings: Any) -> None:
    put(1)
    grow_log(now=NOW)
    settings.SHUREN_EVIDENCE_HASH = "SHA-256"
    put(1)
    grow_log(now=NOW)
    assert Log.objects.get().hash_algorithm == "SM3"
    assert {read_checkpoint(head.note).hash_algorithm.value for head in api.tree_heads(5)} == {"SM3"}


@pytest.mark.parametrize("text", ["", "{}", "[]", "1", '{"format": "shuren-evidence-proof/v1"}', "{" * 5000])
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(NoteBroken):
        api.read_proof(text)


def test_a_digest_must_be_one(log_folder: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        api.anchor(business=Business.SCORE, subject="run:1", digest=b"short", now=NOW)
