"""The SCIM 2.0 service: people and orgs told, accounts provisioned, as far as the client's token reaches."""
