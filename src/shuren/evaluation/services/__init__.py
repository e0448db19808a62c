"""Writes: declaring, starting and carrying out runs, and recording what leaves the house."""
