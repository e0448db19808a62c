"""What the apps say they keep: sources of assets, declared while the apps start, and how an asset is compared."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

from shuren.datahub.data import Asset, AssetColumn

Source = Callable[[], Iterable[Asset]]
OwnerNames = Callable[[], Mapping[str, str]]
_sources: dict[str, Source] = {}
# Raised whenever `words_of` says more: assets are then written anew.
_WORDING = 2
_MOST_WORDS = 20_000
_owner_names: dict[str, OwnerNames] = {}
_LENGTHS = {"title": 200, "name": 400, "owner": 80, "description": 500}


def declare_assets(source: Source) -> None:
    """Have `source` asked for its assets whenever the catalogue is brought up to date."""
    _sources[name_of(source)] = source


def declare_owner_names(kind: str, names: OwnerNames) -> None:
    """Have owners `<kind>:<key>` called by what `names` answers by key, in the language of whoever reads."""
    _owner_names[kind] = names


def names_of_owners(kind: str) -> Mapping[str, str]:
    """What owners of a kind are called, by key; nothing where nobody said."""
    return _owner_names[kind]() if kind in _owner_names else {}


def name_of(source: Source) -> str:
    return f"{source.__module__}.{source.__qualname__}"


def sources() -> dict[str, Source]:
    return dict(sorted(_sources.items()))


def digest_of(asset: Asset) -> str:
    """Changes exactly when something said of the asset does."""
    told = [
        _WORDING,
        *(asset.kind.value, asset.name, asset.title_zh, asset.title_en, asset.owner, asset.grade, asset.description),
        [[c.name, c.type, c.title_zh, c.title_en, c.element, c.grade] for c in asset.columns],
        [[f.source.key, f.source_column, f.target.key, f.target_column] for f in asset.flows],
    ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def words_of(asset: Asset, aloud: Callable[[str], str]) -> str:
    """What a search looks through: titles as written and in pinyin; columns are found by their own names too."""
    told = [asset.name, asset.title_zh, asset.title_en, asset.owner, asset.description, aloud(asset.title_zh)]
    for column in asset.columns:
        told += [column.title_zh, column.title_en, aloud(column.title_zh)]
    return "\n".join(dict.fromkeys(word.lower() for word in told if word))[:_MOST_WORDS]


def highest(grades: Iterable[str], default: str = "") -> str:
    """The most careful of some grades."""
    return max((grade for grade in grades if grade), default=default)


def distinct(columns: Iterable[AssetColumn]) -> tuple[AssetColumn, ...]:
    """The first of every name, in order."""
    return tuple({column.name[:200]: column for column in reversed(list(columns)) if column.name}.values())[::-1]
