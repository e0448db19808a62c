"""Courses by cmi5: taken in, given to pupils, launched, and followed to their end."""
