"""Two calibrations on one scale, items that drifted, and trends with the error of both."""
