"""Writes of an import: start it, record what was found and done, make its error workbook, sweep."""
