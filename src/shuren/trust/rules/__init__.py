"""Decisions of proof that need no database: sealing, signatures, Merkle trees."""
