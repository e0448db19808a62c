"""What `migrate` does in this house."""
