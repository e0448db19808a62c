"""One index over everything that has a name."""
