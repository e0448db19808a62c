"""National ids: sealed for storage, indexed by a keyed hash for look-up, opened only for who may see them."""

from shuren.trust.api import blind_index, seal, unseal

PURPOSE = "directory.national_id"


def sealed(national_id: str) -> bytes:
    return seal(national_id.encode(), purpose=PURPOSE)


def opened(stored: bytes) -> str:
    return unseal(stored, purpose=PURPOSE).decode()


def index_of(national_id: str) -> str:
    """The same text for the same id, in upper case; nobody can compute it without the installation's key."""
    return blind_index(national_id.strip().upper(), purpose=PURPOSE)
