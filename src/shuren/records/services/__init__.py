"""Writes of learning records."""
