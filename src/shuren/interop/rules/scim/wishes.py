"""What a client's PATCH means, whatever its dialect: the operations as RFC 7644 3.5.2 writes them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Each person has one address and one number on file, under whatever label a client keeps it.
_LABELS = re.compile(r'^(emails|phoneNumbers)\[\s*(?:type\s+eq\s+"[^"]*"|primary\s+eq\s+"?true"?)\s*\](\.\w+)?$', re.IGNORECASE)
_OURS = {"emails": "work", "phonenumbers": "mobile"}


def plain_patch(body: Mapping[str, Any]) -> dict[str, Any]:
    """The PATCH in plain words: keys that are paths with filters become operations of their own (Entra sends them so),
    and every label of an address becomes ours."""
    asked = body.get("Operations", body.get("operations"))
    if not isinstance(asked, list):
        return dict(body)
    rest = {key: value for key, value in body.items() if key.lower() != "operations"}
    return rest | {"Operations": [plain for one in asked for plain in _plain(one)]}


def _plain(operation: Any) -> Iterator[Any]:
    if not isinstance(operation, Mapping):
        yield operation
        return
    value, path = operation.get("value"), operation.get("path")
    if path is None and isinstance(value, Mapping):
        apart = {key: item for key, item in value.items() if "[" in key}
        kept = {key: item for key, item in value.items() if key not in apart}
        if kept or not apart:
            yield {**operation, "value": _labelled_keys(kept)}
        for key, item in apart.items():
            yield {**operation, "path": _labelled(key), "value": item}
        return
    if isinstance(path, str):
        yield {**operation, "path": _labelled(path)} | ({"value": labelled(path, value)} if "value" in operation else {})
        return
    yield operation


def _labelled(path: str) -> str:
    found = _LABELS.match(path)
    return f'{found[1]}[type eq "{_OURS[found[1].lower()]}"]{found[2] or ""}' if found else path


def _labelled_keys(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: labelled(key, item) for key, item in value.items()}


def labelled(key: str, value: Any) -> Any:
    """Entries of `emails` and `phoneNumbers` under our label; of several the primary one, else the first."""
    label = _OURS.get(key.lower())
    if label is None or not isinstance(value, list | Mapping):
        return value
    entries = [value] if isinstance(value, Mapping) else [entry for entry in value if isinstance(entry, Mapping)]
    if not entries:
        return value
    chosen = next((entry for entry in entries if entry.get("primary") in (True, "True", "true")), entries[0])
    return [{"value": chosen.get("value"), "type": label}]


def plain_resource(body: Mapping[str, Any]) -> dict[str, Any]:
    """A resource as a client sends it, its addresses under our labels."""
    return {key: labelled(key, value) for key, value in body.items()}
