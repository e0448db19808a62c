"""Reads of proof: keys, and the evidence log with its heads and its files."""
