"""Open data: the officers' desk, and the pages that everybody reads."""
