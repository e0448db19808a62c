"""What must be true of a definition before it comes into force: names exist, flows end, nothing held already is asked."""
