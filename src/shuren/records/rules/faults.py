"""What is wrong with what a client sent."""

from shuren.kernel.errors import Invalid


class MalformedStatement(Invalid):
    """A statement, or a part of one, that breaks the specification; `where` is the path to it."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.reason = reason
        self.where = where
