"""The lake: immutable partitioned facts, snapshots, and SQL over them."""
