"""The face of sealing."""

from shuren.trust.rules import SealBroken
from shuren.trust.services import blind_index, seal, unseal

__all__ = ["SealBroken", "blind_index", "seal", "unseal"]
