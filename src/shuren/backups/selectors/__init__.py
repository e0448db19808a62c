"""Reads of what was backed up, restored and proved."""
