"""Tests, their items, and the scored responses that come in."""
