"""How requests become lists, kept views and hints."""
