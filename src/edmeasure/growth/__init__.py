"""Growth of pupils and schools between two measurements."""
