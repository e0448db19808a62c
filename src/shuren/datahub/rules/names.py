"""Names of datasets, partitions, views and files; every part is safe as a folder name and as an SQL name."""

import re
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec
from shuren.kernel.errors import Invalid

_DATASET = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_VALUE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")


def check_spec(spec: DatasetSpec) -> None:
    """Refuse a dataset whose name, keys or grade could not be stored."""
    if not _DATASET.fullmatch(spec.name):
        raise ValueError(f"dataset name {spec.name!r} is not <app>.<noun>")
    if not spec.partition_keys or not all(_KEY.fullmatch(key) for key in spec.partition_keys):
        raise ValueError(f"dataset {spec.name} needs partition keys in lower case")
    if spec.grade not in {"L1", "L2", "L3", "L4"}:
        raise ValueError(f"dataset {spec.name} has grade {spec.grade!r}, not L1-L4")


def partition_values(keys: Iterable[str], partition: Mapping[str, object]) -> dict[str, str]:
    """The partition's values as text, in the order of the dataset's keys."""
    keys = tuple(keys)
    if set(keys) != set(partition):
        raise Invalid(_("分区键不符：需要 %(keys)s。") % {"keys": "、".join(keys)})
    values = {key: str(partition[key]) for key in keys}
    for key, value in values.items():
        if not _VALUE.fullmatch(value):
            raise Invalid(_("分区 %(key)s 的取值“%(value)s”不合规。") % {"key": key, "value": value[:80]})
    return values


def partition_text(values: Mapping[str, str]) -> str:
    """`assessment=12/year=2011`: the folder of the partition below its dataset's folder."""
    return "/".join(f"{key}={value}" for key, value in values.items())


def view_name(dataset: str) -> str:
    return dataset.replace(".", "_")


def quoted(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def datasets_named_in(sql: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known datasets whose view name stands as a word in `sql`."""
    words = set(re.findall(r"[a-z_][a-z0-9_]*", sql.lower()))
    return tuple(sorted(name for name in known if view_name(name) in words))
