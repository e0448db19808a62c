"""Encrypted backups of database, files and lake, their restoring, and drills that prove it."""
