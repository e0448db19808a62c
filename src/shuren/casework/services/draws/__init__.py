"""Draws step by step, from the pools to the checks. Each step is one transaction and may be repeated after a kill."""
