"""Reads of the directory, each with its access filter inside."""
