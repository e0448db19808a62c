"""Statistics of populations with the errors of sampling and measurement."""
