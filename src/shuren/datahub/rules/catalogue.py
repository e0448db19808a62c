"""The datasets this installation declares; filled once, while the apps start."""

from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec
from shuren.datahub.rules.names import check_spec
from shuren.kernel.errors import NotFound

_declared: dict[str, DatasetSpec] = {}


def declare(spec: DatasetSpec) -> None:
    """Remember `spec`; declaring it again unchanged is harmless, declaring it differently is an error."""
    check_spec(spec)
    if _declared.setdefault(spec.name, spec) != spec:
        raise ValueError(f"dataset {spec.name} is declared twice, differently")


def spec_of(name: str) -> DatasetSpec:
    if name not in _declared:
        raise NotFound(_("没有名为“%(name)s”的数据集。") % {"name": name[:80]})
    return _declared[name]


def declared() -> tuple[DatasetSpec, ...]:
    return tuple(_declared[name] for name in sorted(_declared))
