"""Writes of the evidence log: entries in, places given, tiles and heads out."""
