"""What may be opened to everybody, and in which shape."""
