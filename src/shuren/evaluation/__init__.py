"""Measurement runs and the five-level reports they produce."""
