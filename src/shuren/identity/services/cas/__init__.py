"""CAS tickets and services: given, checked, ended."""
