"""SAML 2.0 messages and metadata, read without trusting them (OASIS saml-core, -bindings, -metadata, -profiles 2.0)."""
