"""Reads of tests: what was held, who took part, and the responses as arrays."""
