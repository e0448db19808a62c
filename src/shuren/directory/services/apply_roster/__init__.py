"""Applying a checked roster, all or nothing, and taking it back."""
