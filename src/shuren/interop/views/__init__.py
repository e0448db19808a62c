"""Pages for vendors, reviewing officers, schools, and everybody who opens an app."""
