"""The self-service conformity test: we call the app's addresses, its vendor reads what went wrong step by step."""
