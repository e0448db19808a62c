"""Making, restoring, proving and pruning backups."""
