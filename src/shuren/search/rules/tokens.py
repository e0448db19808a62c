"""Tokens of a document.

Four sorts share one index: `=张三`, `=zhangsan`, `=zs` are whole keys (exact and prefix search), plain words,
letters, pairs of letters and syllables are what lies inside, `/15` is an org on the way to the document,
`/person` its kind and `/person.7` itself. Nothing a person types can contain `=` or `/`.
"""

import re
import unicodedata

import rjieba

from shuren.search.data import Document
from shuren.search.rules.pinyin import family_length, is_han, name_syllables, text_syllables, word_syllables

KEY = "="
PLACE = "/"
PERSON = "person"
MAX_TOKEN = 60

_RUNS = re.compile(r"[a-z0-9]+|[㐀-鿿〇𠀀-𲎯]+")


def normal(text: str) -> str:
    """Full-width letters made half-width, capitals made small."""
    return unicodedata.normalize("NFKC", text).lower()


def runs(text: str) -> list[str]:
    """Stretches of Latin letters and digits, and stretches of Han letters, in order; all else only separates."""
    return _RUNS.findall(text)


def document_tokens(document: Document) -> list[str]:
    """Every token of the document, each once."""
    tokens = dict.fromkeys(place_tokens(document))
    title = normal(document.title)
    if title:
        is_name = document.kind == PERSON
        tokens.update(dict.fromkeys(_name_tokens(title) if is_name else _title_tokens(title)))
    if document.text:
        tokens.update(dict.fromkeys(word_tokens(normal(document.text))))
    return [token for token in tokens if len(token) <= MAX_TOKEN] if max(map(len, tokens)) > MAX_TOKEN else list(tokens)


def place_tokens(document: Document) -> list[str]:
    tokens = [f"{PLACE}{document.kind}", f"{PLACE}{document.kind}.{document.object_id}"]
    for path in (document.path, *document.other_paths):
        tokens.extend(f"{PLACE}{org_id}" for org_id in path.split("/") if org_id)
    return tokens


def word_tokens(text: str) -> list[str]:
    """Words of running text, long words also by their parts."""
    return [token for run in runs(text) for token in (rjieba.cut_for_search(run) if is_han(run[0]) else (run,))]


def letter_tokens(run: str) -> list[str]:
    """Single Han letters and neighbouring pairs."""
    return [*run, *(run[at : at + 2] for at in range(len(run) - 1))]


def _name_tokens(name: str) -> list[str]:
    whole = "".join(runs(name))
    if not whole:
        return []
    syllables = name_syllables(whole)
    given = family_length(whole)
    initials = "".join(syllable[:1] for syllable in syllables)
    tokens = [KEY + whole, *letter_tokens(whole)] if is_han(whole[0]) else [KEY + whole, *runs(name)]
    tokens += [KEY + "".join(syllables), KEY + initials]
    if len(syllables) > given and is_han(whole[-1]):
        tokens += [*syllables, initials[given:]]
        # From every syllable on: by the given name, and by each part of a long one.
        for start in range(1, len(syllables) - 1):
            tokens += ["".join(syllables[start:]), initials[start:]]
    return tokens


def _title_tokens(title: str) -> list[str]:
    stretches = runs(title)
    whole = "".join(stretches)
    if not whole:
        return []
    syllables = text_syllables(whole)
    initials = "".join(syllable[:1] for syllable in syllables)
    tokens = [KEY + whole, KEY + "".join(syllables), KEY + initials]
    for run in stretches:
        if is_han(run[0]):
            tokens += letter_tokens(run)
            for word in rjieba.cut_for_search(run):
                readings = word_syllables(word)
                tokens += [word, "".join(readings), "".join(reading[:1] for reading in readings)]
        else:
            tokens.append(run)
    return tokens
