"""A file that cannot be read at all."""

from shuren.intake.data import Finding
from shuren.kernel.errors import Invalid


class UnreadableFile(Invalid):
    """Nothing can be read from the file; `finding` says the same in the words of a finding."""

    def __init__(self, message: str, *, remedy: str = "", file: str = "", sheet: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.finding = Finding(file=file, sheet=sheet, row=0, column="", value="", reason=message, remedy=remedy)
