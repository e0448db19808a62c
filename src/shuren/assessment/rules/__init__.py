"""Pure decisions about results: what a table is, what a cell scores, what changed."""
