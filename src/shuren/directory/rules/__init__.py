"""Decisions of the directory that need no database: tree, periods, roles, numbers, duplicates, rosters."""
