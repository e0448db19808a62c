"""National ids: sealed for storage, indexed by a keyed hash for look-up, opened only for who may see them."""

from shuren.directory.models import Person
from shuren.trust.api import blind_index, seal, unseal

PURPOSE = "directory.national_id"


def sealed(national_id: str) -> bytes:
    return seal(national_id.encode(), purpose=PURPOSE)


def opened(stored: bytes) -> str:
    return unseal(stored, purpose=PURPOSE).decode()


def index_of(national_id: str) -> str:
    """The same text for the same id, in upper case; nobody can compute it without the installation's key."""
    return blind_index(national_id.strip().upper(), purpose=PURPOSE)


def tells_national_id(*, person_id: int, text: str) -> bool:
    """Whether a text holds the last six figures of somebody's citizen number, as passwords do that are guessed.

    Nothing of the number is told.
    """
    stored = Person.objects.filter(pk=person_id).values_list("national_id_sealed", flat=True).first()
    return stored is not None and opened(bytes(stored))[-6:].lower() in text.lower()
