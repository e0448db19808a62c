"""Measuring quality: the roster into the lake, the rules over it, the scores out of it."""
