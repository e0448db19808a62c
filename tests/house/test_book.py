"""The book on measurement: every chapter is listed, its examples run as they stand, and what they draw is shown."""

import re

import pytest

from tests.house.source import ROOT

BOOK = ROOT / "docs" / "measurement"
CHAPTERS = sorted(path for path in BOOK.glob("*.md") if path.name != "README.md")
PICTURES = ROOT / "docs" / "images" / "measurement"
# One tells how to draw, the other of what has no picture.
WITHOUT_PICTURE = {"plots", "scale"}
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
    assert ("picture" in names) == (chapter not in WITHOUT_PICTURE)
    if "picture" in names:
        assert names["picture"].has_data()


@pytest.mark.parametrize("chapter", [path.stem for path in CHAPTERS if path.stem not in WITHOUT_PICTURE])
def test_what_a_chapter_draws_is_shown_in_it(chapter: str) -> None:
    """`python tools/book_pictures.py` draws them."""
    assert f"](../images/measurement/{chapter}.svg)" in (BOOK / f"{chapter}.md").read_text()
    assert "<svg" in (PICTURES / f"{chapter}.svg").read_text()


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in PICTURES.iterdir()} == {path.stem for path in CHAPTERS} - WITHOUT_PICTURE
