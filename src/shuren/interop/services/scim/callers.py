"""Who calls the SCIM service, and what every resource has in common."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _
from scim2_models import Context, Meta, PreconditionFailedException, Resource, ResponseParameters

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.interop.data import AppData
from shuren.interop.models import ScimRecord
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.kernel.scope import Scope

# So many resources are read through for a filter or an order that no index holds.
SCANNED = 5_000
_PLACE_KEPT = 900


@dataclass(frozen=True, slots=True)
class Caller:
    """A client with its token; `base` is the address of the service, `home_id` the org whose client it is.

    `app` is the app of the register behind it, if there is one.
    """

    actor: Actor
    client_id: str
    recipient: str
    purpose: str
    home_id: int | None
    base: str
    now: datetime
    app: AppData | None = None

    def scope(self, permission: Permission) -> Scope:
        return directory.scope_of(actor=self.actor, permission=permission, now=self.now)

    def may_write(self) -> None:
        """Apps of others only read: accounts are provisioned by the systems of the house."""
        if self.recipient:
            raise Refused(_("只有平台自己的系统能开通账号。"), remedy=_("请联系地区管理员登记。"))
        if self.scope(Permission.ISSUE_CREDENTIALS).is_empty:
            raise Refused(_("这个应用没有开通账号的权限。"), remedy=_("请为它登记 scim.write。"))


def stamp(resource: Resource[Any], *, caller: Caller, kind: str, moments: tuple[datetime, datetime] | None) -> None:
    """Give a resource its `meta` and a version made from what it says."""
    said = resource.model_dump_json(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, exclude={"meta"})
    resource.meta = Meta(
        resource_type=kind,
        created=moments[0] if moments else None,
        last_modified=moments[1] if moments else None,
        location=f"{caller.base}/{kind}s/{resource.id}",
        version=f'W/"{hashlib.sha256(said.encode()).hexdigest()[:24]}"',
    )


def check_version(resource: Resource[Any], if_match: str) -> None:
    """412 unless one of the versions in the `If-Match` header is the resource's (RFC 7644 3.14); an empty header asks nothing."""
    known = [version.strip().removeprefix("W/") for version in if_match.split(",") if version.strip()]
    current = (resource.meta.version or "") if resource.meta else ""
    if known and "*" not in known and current.removeprefix("W/") not in known:
        raise PreconditionFailedException


def moments_of(targets: Mapping[int, Collection[str]], begun: Mapping[int, datetime]) -> dict[int, tuple[datetime, datetime]]:
    """First and last change per row: from the audit trail of its `targets`, and from when a roster brought it."""
    found = audit.moments_of([target for group in targets.values() for target in group])
    moments = {}
    for row_id, group in targets.items():
        known = [moment for target in group for moment in found.get(target, ())]
        known += [begun[row_id]] if row_id in begun else []
        if known:
            moments[row_id] = (min(known), max(known))
    return moments


def keep_record(*, caller: Caller, kind: str, row_id: int, **changes: object) -> None:
    """Write what the client calls a row, or that it let it go, in the caller's transaction; audited without the values."""
    ScimRecord.objects.update_or_create(client_id=caller.client_id, kind=kind, row_id=row_id, defaults=changes)
    target = f"{'person' if kind == 'user' else 'org'}:{row_id}"
    audit.record(
        actor=caller.actor, action="interop.scim_record_kept", target=target, details={"facts": sorted(changes)}, now=caller.now
    )


def place_key(caller: Caller, kind: str, start: int) -> str:
    """Where the cache keeps what stood before place `start` of the whole list, so that the next page is one step on."""
    paths = "|".join((*caller.scope(Permission.VIEW_PEOPLE).paths, str(caller.actor.person_id)))
    return f"scim:{kind}:{caller.client_id}:{hashlib.sha256(paths.encode()).hexdigest()[:16]}:{start}"


def place_before(caller: Caller, kind: str, start: int) -> int | None:
    found: int | None = cache.get(place_key(caller, kind, start))
    return found


def keep_place(caller: Caller, kind: str, start: int, row_id: int) -> None:
    cache.set(place_key(caller, kind, start), row_id, _PLACE_KEPT)


def wants(asked: ResponseParameters[Any] | None, attribute: str) -> bool:
    """Whether the answer is to hold an attribute, by `attributes` and `excludedAttributes`."""
    if asked is None:
        return True
    if asked.attributes:
        return any(str(path).split(":")[-1].split(".")[0].lower() == attribute for path in asked.attributes)
    return not any(str(path).split(":")[-1].lower() == attribute for path in asked.excluded_attributes or ())
