"""Every address of the house, area by area: one module each, which `AREAS` of `test_access.py` names."""
