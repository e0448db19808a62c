"""Proof: sealing of secrets, blind look-up of sealed values, keys that sign and what they signed."""
