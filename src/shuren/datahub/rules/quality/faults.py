"""What is wrong with a rule, and where it stands."""


class RuleFault(ValueError):
    """A rule that cannot be run; `place` is the file and the rule in it, `path` where in the file the rule stands."""

    def __init__(self, place: str, reason: str, path: str = "") -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
        self.path = path
