"""What is wrong with an import, gathered while its tables are read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shuren.intake.data import Finding

MOST_FINDINGS = 100_000


@dataclass(slots=True)
class Problems:
    """Findings of one import; past a hundred thousand only their number goes on."""

    found: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, finding: Finding) -> None:
        if len(self.found) < MOST_FINDINGS:
            self.found.append(finding)
        else:
            self.more += 1

    def extend(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    @property
    def has_errors(self) -> bool:
        return self.more > 0 or any(finding.is_error for finding in self.found)
