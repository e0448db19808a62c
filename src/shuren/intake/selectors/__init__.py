"""Reads: imports, their findings, and the tables inside files."""
