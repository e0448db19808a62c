"""Pages of the life of data: rules, the archive, destruction and its certificates, and what grades drive."""
