"""Writes of the lake: partitions, switches of snapshots, sweeping."""
