"""Titles in several languages: the one a reader understands best."""

from collections.abc import Mapping


def best_title(title: Mapping[str, str], language: str) -> str:
    """In the reader's language, else in its other forms, in Chinese, in English, in whichever there is."""
    wished = [language.lower(), language.lower().partition("-")[0], "zh", "en", "und"]
    for wish in wished:
        for tag, text in title.items():
            if text and (tag.lower() == wish or tag.lower().partition("-")[0] == wish):
                return text
    return next((text for text in title.values() if text), "")


def own_name(title: Mapping[str, str]) -> str:
    """What a course is listed and searched by, whoever reads."""
    return best_title(title, "zh-hans")
