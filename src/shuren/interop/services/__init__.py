"""Writes of the register: vendors, entries, review, choice, the kill switch, messages and what is counted."""
