"""Pages of sign-in, the own account and credentials."""
