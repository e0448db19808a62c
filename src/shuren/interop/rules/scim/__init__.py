"""The SCIM 2.0 service provider's rules: what its resources look like, which filters an index answers, what clients mean."""
