"""Reads of cmi5 courses, and who may see which of them."""
