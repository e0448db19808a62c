"""Pages of the directory: orgs, people, grants, duplicates."""
