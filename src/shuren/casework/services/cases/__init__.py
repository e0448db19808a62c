"""Moves of a case, each one transaction: filed, handed in, decided, turned back, shared, ended."""
