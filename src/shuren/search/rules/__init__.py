"""How text becomes tokens and a query becomes conditions, free of any database."""
