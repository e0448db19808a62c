"""Checking a roster: stage the file, find what is wrong with it, and tell how it differs from what is held."""
