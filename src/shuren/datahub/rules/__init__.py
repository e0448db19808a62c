"""Pure decisions of the lake: names, places of files, and which SQL is a plain question."""
