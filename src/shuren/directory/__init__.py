"""Orgs, people, rosters and grants: who is where, and who may see whom."""
