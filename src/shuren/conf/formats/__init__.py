"""Date and number formats that the pages share."""
