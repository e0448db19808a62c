"""Item response models of several abilities: within and between items, bifactor and testlet."""
