"""The evidence log without a database or a disk: tree, tiles, checkpoints, entries, proofs."""
