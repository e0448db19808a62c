"""Statistics forms, read: templates, units and who is above whom, reports, what is behind a figure."""
