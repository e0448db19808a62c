"""Scores of persons and groups: estimates with errors, plausible values, reporting scales."""
