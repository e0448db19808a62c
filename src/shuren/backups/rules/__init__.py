"""Cutting, sealing, listing and forgetting: pure decisions over bytes and dates."""
