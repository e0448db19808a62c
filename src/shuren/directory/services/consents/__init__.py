"""Notices and answers: publishing, asking, deciding, and what is disclosed on the strength of them."""
