"""The pictures of a report, drawn from its document, every mean with its interval."""
