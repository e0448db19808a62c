"""Columns of datasets that another source produces: taken as a copy that says where it is from, else refused."""

import pyarrow as pa

from shuren.directory import api as directory
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.standards import api as standards
from shuren.standards.data import Door


def refuse_competing_columns(dataset: str, schema: pa.Schema) -> None:
    """Raise `CompetingWrite` for a column of an element with another source that does not say `copy_of` that source.

    A column names its element, and where it is a copy its source, in the metadata of its Arrow field.
    """
    for field in schema:
        told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        element = standards.known_element(told.get("element", ""))
        if element is None or told.get("copy_of") == element.source:
            continue
        if standards.comes_from_elsewhere(element, f"lake:{dataset}.{field.name}"):
            directory.note_competing(actor=SYSTEM, element=element.code, door=Door.DATASET, now=clock.now())
            raise directory.CompetingWrite(directory.told_of(standards.element(element.code)))
