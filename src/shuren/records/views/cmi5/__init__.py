"""Pages of cmi5 courses, and the two addresses that their content calls."""
