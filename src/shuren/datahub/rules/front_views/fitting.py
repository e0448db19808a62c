"""Values of a view as the lake keeps them: what does not fit is counted by its column and never guessed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shuren.datahub.data import ColumnKind
from shuren.datahub.rules.front_views.columns import ViewColumn

_BOOLEANS = {"t": True, "f": False, "true": True, "false": False}
IsCode = Callable[[str], bool]


def fitted(
    rows: Sequence[Sequence[str | None]], columns: Sequence[ViewColumn], codes: Mapping[str, IsCode], misfits: Counter[str]
) -> list[pa.Array]:
    """One array for each of `columns` from the text of the server; a value that does not fit is null and counted.

    `codes` say, by the name in the view, whether a text is one of the code set of the column's element.
    """
    arrays = []
    for place, column in enumerate(columns):
        texts = [row[place] for row in rows]
        array = _array(texts, column)
        wrong = array.null_count - sum(text is None for text in texts)
        is_code = codes.get(column.name)
        if is_code is not None:
            bad = [text is not None and not is_code(text) for text in texts]
            wrong += sum(bad)
            array = pc.if_else(pa.array(bad, pa.bool_()), pa.scalar(None, array.type), array)
        if wrong:
            misfits[column.name] += wrong
        arrays.append(array)
    return arrays


def _array(texts: Sequence[str | None], column: ViewColumn) -> pa.Array:
    kind, wanted = ColumnKind(column.kind), column.arrow
    if kind is ColumnKind.TEXT:
        return pa.array(texts, wanted)
    if kind in (ColumnKind.INTEGER, ColumnKind.DECIMAL):
        try:
            return pa.array(texts, pa.string()).cast(wanted)
        except pa.ArrowInvalid:
            pass
    return pa.array([_value(text, kind, wanted) for text in texts], wanted)


def _value(text: str | None, kind: ColumnKind, wanted: pa.DataType) -> Any:
    """The value of one text, None where it does not fit: no end of time, no number beyond the digits, no `NaN`."""
    if text is None:
        return None
    try:
        if kind is ColumnKind.BOOLEAN:
            return _BOOLEANS.get(text)
        if kind is ColumnKind.DATE:
            return date.fromisoformat(text)
        if kind in (ColumnKind.MOMENT, ColumnKind.INSTANT):
            moment = datetime.fromisoformat(text)
            return moment if (moment.tzinfo is not None) == (kind is ColumnKind.INSTANT) else None
        if kind is ColumnKind.NUMBER:
            number = float(text)
            return number if abs(number) != float("inf") and number == number else None
        return pa.scalar(text).cast(wanted).as_py()
    except (ValueError, pa.ArrowException):
        return None
