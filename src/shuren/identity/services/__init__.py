"""What accounts can be made to do: come in, get credentials, change a password, leave."""
