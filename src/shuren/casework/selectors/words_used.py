"""Where forms, registers and flows use the region's words, and how many entries state which code."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from django.db.models import Count
from django.utils.translation import get_language

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, Entry, EntryValue
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.casework.rules.specs.words import Words
from shuren.casework.selectors.known import specs_in_force
from shuren.standards.data import UseKind, WordUse

_KINDS = {DefinitionKind.FORM: UseKind.FORM, DefinitionKind.REGISTER: UseKind.REGISTER, DefinitionKind.FLOW: UseKind.FORM}


def words_used() -> Iterator[WordUse]:
    """Every field in force that names an element or a code set, columns of tables too."""
    language = get_language() or ""
    for kind, _key, title, field in _fields():
        place = f"{title.text(language)} · {field.title.text(language) if field.title else field.key}"
        yield WordUse(_KINDS[kind], place, element=field.element, code_set=field.code_set)


def codes_stored(code_set: str, codes: Collection[str]) -> Mapping[str, int]:
    """How many entries of registers state each of these codes: by the index where the field has one, else by reading them."""
    found: Counter[str] = Counter()
    wanted = set(codes)
    for kind, key, _title, field in _fields():
        if kind is not DefinitionKind.REGISTER or field.code_set != code_set:
            continue
        register = Definition.objects.filter(kind=kind.value, key=key).first()
        if register is None:
            continue
        if field.is_indexed:
            rows = EntryValue.objects.filter(register=register, field=field.key, text__in=wanted, entry__removed_at__isnull=True)
            found.update(dict(rows.order_by().values_list("text").annotate(count=Count("pk"))))
            continue
        entries = Entry.objects.filter(register=register, removed_at__isnull=True)
        for data in entries.values_list("data", flat=True).iterator(chunk_size=2_000):
            found.update(wanted & _stated(data.get(field.key)))
    return found


def _stated(value: object) -> set[str]:
    if isinstance(value, list):
        return {one for one in value if isinstance(one, str)}
    return {value} if isinstance(value, str) else set()


def _fields() -> Iterator[tuple[DefinitionKind, str, Words, FieldSpec]]:
    for (kind, key), spec in specs_in_force().items():
        if isinstance(spec, FormSpec):
            fields = spec.fields
        elif isinstance(spec, FlowSpec):
            fields = tuple(field for stage in spec.stages for field in stage.fields)
        else:
            continue
        for field in fields:
            for one in (field, *field.columns):
                if one.element or one.code_set:
                    yield kind, key, spec.title, one
