"""Reading views of other departments' front databases into the lake: kept, tried, read by turns, held where they changed."""
