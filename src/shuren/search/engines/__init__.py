"""The two databases' ways to keep and match tokens, with the same answers."""
