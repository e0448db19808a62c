"""Pages at /reports/: runs, reports of units and pupils, and their files."""
