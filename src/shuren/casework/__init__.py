"""The engine: registers, forms and flows defined as data, and the cases, entries and collections that run on them."""
