"""Rows that an import left out: mended, sent in again, given up, ended."""
