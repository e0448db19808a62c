"""Checking a results file: every table read, every wrong cell told, and the outcome staged."""
