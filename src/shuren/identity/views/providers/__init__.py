"""Pages on which the ways between us and others are kept: services below, identity providers above."""
