"""Reads of collections: which are in reach, how far they are, where each org stands, what changed."""
