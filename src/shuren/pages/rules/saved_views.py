"""What of a list's address is worth keeping, and which views may be kept."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from shuren.pages.rules.addresses import EXPORT, PAGE

# Where one stands in the list and that it is exported belong to the moment, not to the view.
PASSING = frozenset({PAGE, EXPORT})
VIEWS_PER_LIST = 30
FIELD_LIMIT = 60


def kept_query(fields: Mapping[str, str]) -> str:
    """The fields of an address that make the view, in an order of their own, so that equal views read alike."""
    return urlencode(sorted((key, value) for key, value in fields.items() if value and key not in PASSING))


def clean_query(query: str) -> str | None:
    """The same for a query string that was sent; None when it is no query string."""
    try:
        return kept_query(dict(parse_qsl(query, max_num_fields=FIELD_LIMIT)))
    except ValueError:
        return None
