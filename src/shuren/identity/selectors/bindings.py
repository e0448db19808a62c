"""Reads of binding codes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.identity.data import Binding
from shuren.identity.models import BindingCode
from shuren.identity.rules.binding import bare_code, is_same_name
from shuren.kernel.errors import NotFound
from shuren.trust import api as trust

CODE_PURPOSE = "identity.binding_code"


@dataclass(frozen=True, slots=True)
class CodeCounts:
    """How the codes of one pupil stand."""

    open: int = 0
    used: int = 0


def code_hash(code: str) -> str:
    return trust.blind_index(code, purpose=CODE_PURPOSE)


def code_counts(ward_ids: Collection[int], *, now: datetime) -> dict[int, CodeCounts]:
    """Open and used codes per pupil, in one query; pupils without any are left out."""
    counts: dict[int, CodeCounts] = {}
    rows = BindingCode.objects.filter(ward_id__in=list(ward_ids), revoked_at__isnull=True)
    for ward_id, used_at, expires_at in rows.values_list("ward_id", "used_at", "expires_at"):
        before = counts.get(ward_id, CodeCounts())
        is_open = used_at is None and expires_at > now
        counts[ward_id] = CodeCounts(before.open + is_open, before.used + (used_at is not None))
    return counts


def binding_of(*, code: str, ward_name: str, now: datetime) -> Binding | None:
    """The child behind a code that is still good, if it is called so; None tells nothing of what was wrong."""
    bare = bare_code(code)
    row = BindingCode.objects.filter(code_hash=code_hash(bare)).first() if bare else None
    binding = _binding(row, now) if row else None
    return binding if binding and is_same_name(ward_name, binding.ward_name) else None


def binding_by_id(code_id: int, *, now: datetime) -> Binding:
    """A binding that was found before in this browser; raises `NotFound` when the code is no longer good."""
    row = BindingCode.objects.filter(pk=code_id).first()
    binding = _binding(row, now) if row else None
    if binding is None:
        raise NotFound(_("这个绑定码已经用过或者过期了。"), remedy=_("请向班主任要一个新的绑定码。"))
    return binding


def _binding(row: BindingCode, now: datetime) -> Binding | None:
    if row.used_at or row.revoked_at or row.expires_at <= now:
        return None
    ward = directory.people_by_ids([row.ward_id]).get(row.ward_id)
    return Binding(row.pk, row.ward_id, ward.name, row.expires_at) if ward else None
