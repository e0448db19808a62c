"""The book on measurement: every chapter is listed, and its example runs as it stands."""

import re

import pytest

from tests.house.source import ROOT

BOOK = ROOT / "docs" / "measurement"
CHAPTERS = sorted(path for path in BOOK.glob("*.md") if path.name != "README.md")
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_every_chapter_is_listed() -> None:
    listed = set(re.findall(r"\]\((\w+\.md)\)", (BOOK / "README.md").read_text()))
    assert listed == {path.name for path in CHAPTERS}


@pytest.mark.parametrize("chapter", [path.stem for path in CHAPTERS])
@pytest.mark.filterwarnings("error")
def test_examples_run_and_tell_something(chapter: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = EXAMPLE.findall((BOOK / f"{chapter}.md").read_text())
    assert examples
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, f"{chapter}.md", "exec"), names)
    told = capsys.readouterr().out
    assert told
    assert "nan" not in told.lower().split()
