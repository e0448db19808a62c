"""The two databases' ways to keep and match tokens; both take the same tokens and give the same answers."""
