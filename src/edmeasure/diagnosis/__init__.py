"""Cognitive diagnosis: which attributes persons master."""
