"""Building forms and flows on the page: drafts that are kept while somebody types, and putting them into force."""
