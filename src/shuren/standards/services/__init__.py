"""Writes of the words: loading the registry, owners, producers."""
