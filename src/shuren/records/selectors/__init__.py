"""Reads of learning records."""
