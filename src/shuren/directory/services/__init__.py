"""Writes of the directory: each checks, changes, audits and publishes in one transaction."""
