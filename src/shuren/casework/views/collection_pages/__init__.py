"""Pages of collections: issue, watch, change, fill in, take out."""
