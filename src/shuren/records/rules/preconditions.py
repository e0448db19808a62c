"""Entity tags: what a caller says of the document it means to change, and whether that is still so (RFC 9110 13.1)."""

from dataclasses import dataclass

from shuren.kernel.errors import Conflict, Invalid, ShurenError


class PreconditionFailed(ShurenError):
    """The document is not the one the caller has seen (412)."""

    status = 412


class UnseenDocument(Conflict):
    """Somebody means to overwrite what they have not read (409); told in plain text (1.0.3 Communication 3.1)."""


@dataclass(frozen=True, slots=True)
class Precondition:
    """The headers If-Match and If-None-Match, empty where they were not sent."""

    if_match: str = ""
    if_none_match: str = ""

    @property
    def is_stated(self) -> bool:
        return bool(self.if_match or self.if_none_match)


def check_precondition(asked: Precondition, *, etag: str | None) -> None:
    """Raise `PreconditionFailed` unless the document with this entity tag (None: there is none) is as asked."""
    if asked.if_match and not _names(asked.if_match, etag):
        raise PreconditionFailed("If-Match names another version than the one that is kept; read it again.")
    if asked.if_none_match and _names(asked.if_none_match, etag):
        raise PreconditionFailed("If-None-Match: there is such a document already.")


def check_put(asked: Precondition, *, etag: str | None, version: str, is_profile: bool) -> None:
    """Whether a PUT may write where `etag` stands (None: nothing): it must not overwrite unseen (1.0.3 Communication 3.1).

    State documents of 1.0.x are exempt. Where nothing stands 1.0.x asks for a header on profiles, 2.0 does not.
    """
    check_precondition(asked, etag=etag)
    is_old = version.startswith("1.")
    if asked.is_stated or (is_old and not is_profile):
        return
    if etag is not None:
        raise UnseenDocument(
            "There is such a document already. Read it, and send its ETag in If-Match to replace it, "
            "or If-None-Match: * to write only where there is none."
        )
    if is_old:
        raise Invalid("Send If-Match with the ETag of the document to replace, or If-None-Match: * to write a new one.")


def _names(header: str, etag: str | None) -> bool:
    """Whether a list of entity tags names this one; tags without quotes, as older clients send them, count too."""
    if etag is None:
        return False
    named = {part.strip().removeprefix("W/").strip('"') for part in header.split(",")}
    return "*" in named or etag in named
