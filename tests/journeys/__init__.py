"""Whole paths of people through the running program, in a real browser."""
