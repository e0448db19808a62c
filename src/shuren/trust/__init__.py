"""Proof: sealing of secrets and blind look-up of sealed values."""
