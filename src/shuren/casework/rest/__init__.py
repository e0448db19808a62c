"""Casework over HTTP: cases, and registers with their entries."""
