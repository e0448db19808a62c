"""Pages of statistics forms."""
