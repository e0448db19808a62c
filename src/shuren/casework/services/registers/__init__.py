"""Writes to registers: one entry, many at once, files coming in and going out, and every change leaves a revision."""
