"""Reads of casework: definitions, cases, work, entries, collections, the hall and draws, each within scope."""
