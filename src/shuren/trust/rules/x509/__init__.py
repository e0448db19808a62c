"""Certificates, requests, revocation lists, OCSP and timestamps as bytes, and whoever signs is handed in as a function."""
