"""Opening data: draft, check, approve by a second person, publish, withdraw."""
