"""Rules of quality: how they are written down, and how they become SQL."""
