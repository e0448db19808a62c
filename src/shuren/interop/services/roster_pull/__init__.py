"""Taking a roster from a OneRoster service of others: written down, asked page by page, handed to the house's roster import."""
