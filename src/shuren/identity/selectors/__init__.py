"""Reads of accounts and sign-ins."""
