"""Dates as 2026-09-01 and times in 24 hours, in every language."""
