"""Pure decisions of learning records: requests, statements, documents."""
