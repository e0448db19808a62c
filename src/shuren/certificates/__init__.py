"""Certificates that anybody can verify: awards to people, and keys of persons, units and devices."""
