"""Writes of casework: check, change, audit, publish, in one transaction."""
