"""Writes of the portal: the people who hold an installation's first roles, and new editions of code sets."""
