"""Decisions of an import: its states, its limits, its kinds, and what a cell says."""
