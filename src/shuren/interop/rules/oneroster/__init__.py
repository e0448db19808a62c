"""What OneRoster 1.2 says of addresses, words, filters and faults."""
