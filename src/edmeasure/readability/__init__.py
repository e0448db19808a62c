"""Readability of Chinese texts: features, calibrated levels with their error, books and readers on one scale."""
