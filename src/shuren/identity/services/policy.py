"""What roles must show to come in, and which networks are a school's own."""

from datetime import datetime
from ipaddress import ip_network

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, Role
from shuren.identity.data import Requirement
from shuren.identity.models import SchoolNetwork, SignInPolicy
from shuren.identity.selectors.places import forget_networks
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, Refused

MAX_NETWORKS = 20
MAX_GRACE_DAYS = 180
_WIDEST = {4: 16, 6: 32}


def check_policy_right(*, actor: Actor, now: datetime) -> None:
    """Raise `Refused` for whoever does not manage sign-in for the whole installation."""
    root = directory.root_org()
    scope = directory.scope_of(actor=actor, permission=Permission.MANAGE_SIGN_IN, now=now)
    if root is None or not scope.covers(root.path):
        raise Refused(_("只有系统管理员和安全管理员能管理登录要求。"))


@transaction.atomic
def set_policy(*, actor: Actor, role: Role, requirement: Requirement, grace_days: int, now: datetime) -> None:
    """Say what holders of a role must show; a stricter rule leaves them `grace_days` from now."""
    check_policy_right(actor=actor, now=now)
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        raise Invalid(_("宽限期要在 0 到 %(days)d 天之间。") % {"days": MAX_GRACE_DAYS})
    SignInPolicy.objects.update_or_create(
        role=role.value, defaults={"requirement": requirement.value, "grace_days": grace_days, "changed_at": now}
    )
    details = {"requirement": requirement.value, "grace_days": grace_days}
    audit.record(actor=actor, action="identity.sign_in_policy_changed", target=f"role:{role.value}", details=details, now=now)


def access_school_network(*, actor: Actor, id: int, now: datetime) -> OrgData:  # the word of all access functions
    """The org whose people the actor manages."""
    return directory.access_org(actor=actor, id=id, permission=Permission.MANAGE_PEOPLE, now=now)


@transaction.atomic
def set_school_networks(*, actor: Actor, org_id: int, text: str, now: datetime) -> tuple[str, ...]:
    """Write down the school's own address blocks, one per line in CIDR notation; returns them tidied."""
    org = access_school_network(actor=actor, id=org_id, now=now)
    networks = tuple(_network(word) for word in text.replace(",", " ").split())
    if len(networks) > MAX_NETWORKS:
        raise Invalid(_("最多登记 %(count)d 段网络地址。") % {"count": MAX_NETWORKS})
    SchoolNetwork.objects.update_or_create(org_id=org.id, defaults={"networks": "\n".join(networks), "changed_at": now})
    forget_networks()
    details = {"networks": list(networks)}
    audit.record(actor=actor, action="identity.school_networks_changed", target=f"org:{org.id}", details=details, now=now)
    return networks


def _network(word: str) -> str:
    try:
        network = ip_network(word, strict=False)
    except ValueError as fault:
        raise Invalid(_("“%(word)s”不是网络地址。") % {"word": word}, remedy=_("请写成 10.8.0.0/16 这样。")) from fault
    if network.prefixlen < _WIDEST[network.version]:
        raise Invalid(_("“%(word)s”的范围太大。") % {"word": word}, remedy=_("只登记学校自己的地址，例如 10.8.0.0/16。"))
    return str(network)
