"""The catalogue and lineage for programs."""
