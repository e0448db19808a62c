"""Reads of runs and reports, each limited to what the actor may see."""
