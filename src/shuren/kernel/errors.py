"""Errors that a person will read: what happened, and what to do about it."""


class ShurenError(Exception):
    """Base of every expected failure. `message` and `remedy` are shown to the person as they stand."""

    status = 400

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Invalid(ShurenError):
    """What was sent cannot be understood or breaks a rule (400)."""


class Refused(ShurenError):
    """The actor may know that the thing exists but may not do this with it (403)."""

    status = 403


class NotFound(ShurenError):
    """It does not exist, or it lies outside the actor's scope: the two are never told apart (404)."""

    status = 404


class Conflict(ShurenError):
    """The state has moved on since the actor looked (409)."""

    status = 409
