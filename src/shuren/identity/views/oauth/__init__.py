"""The doors of the OAuth 2.1 and OpenID provider."""
