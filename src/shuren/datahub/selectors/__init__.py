"""Reads of the lake: which snapshot is current, its rows, and SQL over several of them."""
