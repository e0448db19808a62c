"""Picture passwords: three of twelve pictures in order, for children who do not write yet."""

import re
from random import Random

PICTURES = (
    "cat",
    "dog",
    "fish",
    "apple",
    "car",
    "ball-football",
    "star",
    "flower",
    "umbrella",
    "rocket",
    "cake",
    "bike",
)
LENGTH = 3
_YOUNG = re.compile(r"^(小学)?(一|二|[12]|0[12])(年级|\(|（|班|$)")


def drawn_pictures(random: Random) -> tuple[str, ...]:
    """Three different pictures in order: one of 1,320."""
    return tuple(random.sample(PICTURES, LENGTH))


def pictures_in(text: str) -> tuple[str, ...] | None:
    """The pictures that a form sent, or None when it sent anything else."""
    found = tuple(text.split(","))
    return found if len(found) == LENGTH and set(found) <= set(PICTURES) else None


def is_young(*, grade: str, name: str) -> bool:
    """Whether a class is one of grades 1 and 2, by its grade or else by its name."""
    return bool(_YOUNG.match(grade or name))
