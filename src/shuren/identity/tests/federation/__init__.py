"""Tests of CAS, SAML and identity providers above."""
