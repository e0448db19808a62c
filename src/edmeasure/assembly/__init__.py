"""Automated test assembly: which items of a pool make the best forms that a blueprint allows."""
