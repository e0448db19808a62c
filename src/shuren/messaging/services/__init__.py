"""Writes of notices and of messages to the outside."""
