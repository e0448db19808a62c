"""What the house tests read: the source files, parsed once."""

import ast
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
DOCS = ROOT / "docs"
APPS = sorted(path.parent.name for path in (SRC / "shuren").glob("*/apps.py"))


@dataclass(frozen=True)
class Source:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@lru_cache(maxsize=1)
def product() -> list[Source]:
    """Every Python file that ships: no tests, no migrations."""
    return [
        Source(path)
        for path in sorted(SRC.rglob("*.py"))
        if not {"tests", "migrations", "node_modules"} & set(path.relative_to(SRC).parts)
    ]


def percentile(values: list[int], share: float) -> int:
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))]
