"""Scores on one form that stand for scores on another, from distributions of scores alone."""
