"""Settings only: what an installation may choose, read once from the environment."""
