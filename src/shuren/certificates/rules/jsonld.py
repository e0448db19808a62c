"""Canonical N-Quads of JSON-LD (RDFC-1.0), with contexts that lie beside the code and nothing else."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pyld import jsonld

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
_FOLDER = Path(__file__).resolve().parent / "contexts"
_FILES = {
    VC_CONTEXT: "credentials-v2.json",
    OB_CONTEXT: "open-badges-3.0.3.json",
    CLR_CONTEXT: "clr-2.0.1.json",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.json",
    "https://w3id.org/security/multikey/v1": "multikey-v1.json",
}
# A document of a stranger may be built so that canonicalising never ends: these bound it before it starts.
MAX_NODES = 400
MAX_BLANK = 60


class NotCanonical(ValueError):
    """The document says something that no known context defines, or is too large to be checked."""


def canonical(document: Mapping[str, Any]) -> str:
    """The document as canonical N-Quads; raises `NotCanonical` where a term or type would silently fall out of them."""
    if _count(document) > MAX_NODES:
        raise NotCanonical("too many nodes")
    try:
        expanded = jsonld.expand(dict(document), {"documentLoader": _load}, on_property_dropped=_refuse)
        _check(expanded)
        quads = jsonld.normalize(expanded, _AS_QUADS)
    except jsonld.JsonLdError as error:
        raise NotCanonical(str(error)[:200]) from error
    return str(quads)


def _load(url: str, _options: object = None) -> dict[str, Any]:
    name = _FILES.get(url)
    if name is None:
        raise NotCanonical(f"unknown context {url[:120]}")
    # The tag lets pyld keep the context under its address instead of under its text, which it would write out every time.
    facts = {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "tag": "static"}
    return {**facts, "document": _context(name)}


_AS_QUADS = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load, "skipExpansion": True}


@cache
def _context(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


def _refuse(term: str) -> None:
    raise NotCanonical(f"undefined term {term[:120]}")


def _check(value: Any) -> None:
    """Types and ids that are not absolute fall out of N-Quads without a word: refuse them as undefined."""
    if isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for name in [*value.get("@type", []), *([value["@id"]] if "@id" in value else [])] if "@value" not in value else []:
            if ":" not in name:
                raise NotCanonical(f"undefined name {name[:120]}")
        for item in value.values():
            _check(item)


def _count(value: Any) -> int:
    """Nodes of the tree; nodes without an id are counted so that a few of them are worth as much as many named ones."""
    if isinstance(value, Mapping):
        weight = 1 if "id" in value or "@context" in value else MAX_NODES // MAX_BLANK
        return weight + sum(_count(item) for key, item in value.items() if key != "@context")
    return 1 + sum(_count(item) for item in value) if isinstance(value, list) else 0
