"""Which filters an index answers: so that a region of ten million is never read through for one question."""

from dataclasses import dataclass

from scim2_models.path import AttrPath, CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, Present, ValuePath

USER_KEYS = frozenset(
    {
        "id",
        "externalid",
        "username",
        "displayname",
        "name.formatted",
        "emails",
        "emails.value",
        "phonenumbers",
        "phonenumbers.value",
    }
)
GROUP_KEYS = frozenset({"id", "externalid", "displayname", "members", "members.value"})
_ALWAYS_THERE = frozenset({"id", "username", "displayname", "active", "meta", "schemas", "meta.resourcetype"})


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question that an index answers: resources whose `key` is `value`."""

    key: str
    value: str


def lookups(node: FilterNode, keys: frozenset[str], prefix: str = "") -> list[Lookup] | None:
    """Questions whose answers together hold everything the filter lets through; None where only reading through helps."""
    if isinstance(node, Comparison):
        key = prefix + key_of(node.attr_path)
        is_asked = node.op is CompareOperator.eq and isinstance(node.value, str) and key in keys
        return [Lookup(key, node.value)] if is_asked else None
    if isinstance(node, ValuePath):
        return lookups(node.val_filter, keys, f"{key_of(node.attr_path)}.")
    if isinstance(node, LogicalExpr):
        found = [lookups(term, keys, prefix) for term in node.terms]
        answered = [part for part in found if part is not None]
        if node.op is LogicalOperator.and_:
            return min(answered, key=len, default=None)
        return [one for part in answered for one in part] if len(answered) == len(found) else None
    return None


def is_everything(node: FilterNode) -> bool:
    """Whether the filter lets every resource through, as `userName pr` does."""
    return isinstance(node, Present) and key_of(node.attr_path) in _ALWAYS_THERE


def key_of(path: AttrPath) -> str:
    """The attribute in lower case, without its schema: names are compared without regard to case (RFC 7643 2.1)."""
    return f"{path.attr}.{path.sub_attr}".lower() if path.sub_attr else path.attr.lower()
