"""Draw the pictures of the book on measurement: every chapter's `picture` goes to docs/images/measurement."""

import contextlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

BOOK = Path(__file__).resolve().parent.parent / "docs" / "measurement"
PICTURES = BOOK.parent / "images" / "measurement"
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
# Text stays text, and the same picture is the same file.
LOOK = {
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "edmeasure",
    "font.family": "sans-serif",
    "font.size": 10,
}


def picture_of(chapter: Path) -> Any:
    """The axes that a chapter's examples leave in `picture`; None without any."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in EXAMPLE.findall(chapter.read_text()):
            exec(compile(example, chapter.name, "exec"), names)  # noqa: S102  # the examples are ours
    return names.get("picture")


def draw(chapters: list[str]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update(LOOK)
    for chapter in sorted(BOOK.glob("*.md")):
        if (not chapters or chapter.stem in chapters) and (axes := picture_of(chapter)) is not None:
            path = PICTURES / f"{chapter.stem}.svg"
            axes.figure.savefig(path, metadata={"Date": None})
            # Fonts of the machine that drew are of no use elsewhere; lines end as everywhere here.
            path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
            print(path, path.stat().st_size)


if __name__ == "__main__":
    draw(sys.argv[1:])
