"""Reads of the words."""
