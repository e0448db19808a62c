"""Errors in the words of RFC 6749, RFC 8628 and OpenID Connect, for programs."""


class OAuthFault(Exception):
    """`error` is a registered code; `description` is plain ASCII for the app's developer and never holds a secret."""

    def __init__(self, error: str, description: str = "", *, status: int = 400, retry_after: int = 0) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.retry_after = retry_after


class AppUnknown(Exception):
    """The app or its return address is not registered: the person is told, nobody is redirected (RFC 9700 4.11)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def invalid_client(description: str = "") -> OAuthFault:
    return OAuthFault("invalid_client", description, status=401)
