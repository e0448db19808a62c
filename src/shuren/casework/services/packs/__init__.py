"""Packs: checked as a whole, installed at once, compared with what is installed and with what is shipped."""
