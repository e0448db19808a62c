"""The demonstration region: real responses, invented schools and names, one account per role."""
