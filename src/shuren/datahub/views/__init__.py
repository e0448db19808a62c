"""Pages of the data platform: what data there is and where it came from."""
