"""Pure decisions of the OAuth 2.1 and OpenID provider."""
