"""The face of backups: make, list, prove, restore and forget them."""

from shuren.backups.data import Manifest
from shuren.backups.rules.sealing import Secret
from shuren.backups.selectors.drill_reports import is_signature_good
from shuren.backups.selectors.runs import runs, standing
from shuren.backups.services.back_up import Wish, back_up
from shuren.backups.services.base import make_base, restore_base
from shuren.backups.services.drill import drill
from shuren.backups.services.prove import proof_of
from shuren.backups.services.prune import backups, check_backups, hold_backup, prune, read_manifest, release_backup
from shuren.backups.services.restore import Asked, Restored, refuse_half_restored, restore

__all__ = [
    "Asked",
    "Manifest",
    "Restored",
    "Secret",
    "Wish",
    "back_up",
    "backups",
    "check_backups",
    "drill",
    "hold_backup",
    "is_signature_good",
    "make_base",
    "proof_of",
    "prune",
    "read_manifest",
    "refuse_half_restored",
    "release_backup",
    "restore",
    "restore_base",
    "runs",
    "standing",
]
