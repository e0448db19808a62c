"""The root of the API, and what of it the portal itself offers."""
