"""Writes of tests: checking a results file, applying it, making templates and simulated tests."""
