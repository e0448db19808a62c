"""The public keys with which this installation signs heads and cosigns those of others."""

import contextlib

from django.conf import settings

from shuren.trust.data import KeyAlgorithm, KeyStatus, PublicKey
from shuren.trust.models import HeadDelivery, Log
from shuren.trust.rules.log.checkpoint import NoteBroken, NoteKey, read_key
from shuren.trust.selectors.keys import key_versions

WITNESS_KEY = "evidence.witness"
_RAW_BYTES = 32


def log_key_name(algorithm: KeyAlgorithm) -> str:
    return f"evidence.log.{algorithm.value.lower()}"


def signing_algorithms() -> list[KeyAlgorithm]:
    """The signatures that heads get, as the settings say."""
    return [KeyAlgorithm(word) for word in settings.SHUREN_EVIDENCE_SIGNATURES]


def log_keys() -> list[str]:
    """The keys of the log in the text form of signed notes, those in use first, then those that signed earlier."""
    log = Log.objects.filter(pk=1).first()
    believed = [key for key in _log_key_versions() if key.status is not KeyStatus.REVOKED]
    believed.sort(key=lambda key: key.status is not KeyStatus.ACTIVE)
    return [note_key(log.origin, key).text for key in believed] if log else []


def every_log_key(origin: str) -> list[NoteKey]:
    """The keys that ever signed heads, those that are believed no more too."""
    return [note_key(origin, key) for key in _log_key_versions()]


def _log_key_versions() -> list[PublicKey]:
    algorithms = (KeyAlgorithm.ED25519, KeyAlgorithm.ES256, KeyAlgorithm.SM2)
    return [key for algorithm in algorithms for key in key_versions(log_key_name(algorithm))]


def witness_key() -> NoteKey | None:
    """The key with which this installation cosigns; None before the first time."""
    versions = key_versions(WITNESS_KEY)
    return note_key(settings.SHUREN_EVIDENCE_WITNESS_NAME, versions[0], is_witness=True) if versions else None


def note_key(name: str, key: PublicKey, *, is_witness: bool = False) -> NoteKey:
    public = key.spki[-_RAW_BYTES:] if key.algorithm is KeyAlgorithm.ED25519 else key.spki
    return NoteKey(name, key.algorithm, public, is_witness=is_witness)


def witnessed_keys() -> list[NoteKey]:
    """Keys of the logs that this installation watches; a wrong one in the settings raises `NoteBroken`."""
    return [read_key(text) for text in settings.SHUREN_EVIDENCE_WITNESSED]


def witness_keys() -> list[NoteKey]:
    """Keys of the witnesses that this installation asks."""
    return [read_key(target.partition(" ")[2]) for target in settings.SHUREN_EVIDENCE_WITNESSES]


def every_witness_key() -> list[NoteKey]:
    """Keys of the witnesses that were ever asked: the outbox keeps their addresses."""
    found = witness_keys()
    for target in HeadDelivery.objects.filter(target__contains=" ").values_list("target", flat=True).distinct():
        # A target that was cut to fit names no key; the settings may still hold it.
        with contextlib.suppress(NoteBroken):
            found.append(read_key(target.partition(" ")[2]))
    return list(dict.fromkeys(found))


def own_witness_keys() -> list[NoteKey]:
    """All versions of the key with which this installation cosigns."""
    return [note_key(settings.SHUREN_EVIDENCE_WITNESS_NAME, key, is_witness=True) for key in key_versions(WITNESS_KEY)]
