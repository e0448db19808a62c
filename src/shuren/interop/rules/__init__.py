"""Decisions about entries, addresses, signatures, retries and quotas."""
