"""SAML: services registered, requests answered, sessions ended. XML is signed and checked by pysaml2 with xmlsec1."""
