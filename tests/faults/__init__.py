"""What happens when processes are killed in the middle of their work."""
