"""Statistics of tests and items without a response model."""
