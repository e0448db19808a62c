"""Statistics forms: prepared, filled in, submitted up the tree, summed, frozen, corrected, in and out as files."""
