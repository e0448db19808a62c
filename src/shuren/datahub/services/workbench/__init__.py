"""The query workbench: asking, saving, scheduling and exporting questions."""
