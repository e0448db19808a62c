"""Pages of the query workbench."""
