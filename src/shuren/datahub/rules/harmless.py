"""Text on its way into a spreadsheet: what would run as a formula gets an apostrophe."""

import re

import pyarrow as pa
import pyarrow.compute as pc

_FORMULA = r"^( *[=+\-@\t\r＝＋－＠])"


def harmless_text(text: str) -> str:
    return re.sub(_FORMULA, r"'\1", text)


def harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with all of its text harmless."""
    columns = [
        pc.replace_substring_regex(column, pattern=_FORMULA, replacement=r"'\1") if _is_text(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
