"""Writing a roster: any branch of the directory in either of the two forms."""
