"""Names that an officer writes down of a front database, each refused where it could mean anything else."""

import re

from django.utils.translation import gettext as _

from shuren.datahub.data import NewViewSource
from shuren.kernel.errors import Invalid

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LAKE = re.compile(r"[a-z][a-z0-9_]{0,62}")
# Neither a path (a socket of this machine) nor a list of hosts.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_LONGEST = 63
ORG_PATH, PART = "org_path", "source"


def dataset_of(key: str) -> str:
    return f"front.{key}"


def check_source(said: NewViewSource) -> None:
    """Raise `Invalid` for what cannot be kept or would not be safe to connect to."""
    if not _KEY.fullmatch(said.key):
        raise Invalid(_("代号“%(name)s”不对。") % {"name": said.key[:40]}, remedy=_("请用小写字母开头的字母、数字和下划线。"))
    if not _HOST.fullmatch(said.host):
        raise Invalid(
            _("主机“%(name)s”不对。") % {"name": said.host[:80]}, remedy=_("请写一个主机名或 IP 地址，不带端口和路径。")
        )
    if not 0 < said.port < 2**16:
        raise Invalid(_("端口应在 1 至 65535 之间。"))
    for name in (said.database, said.username, said.schema, said.view):
        check_identifier(name)


def check_identifier(name: str) -> None:
    """An identifier of the other side; it is always quoted, so that any letters do, but none that end it early."""
    if not name or "\x00" in name or not name.isprintable() or name != name.strip() or len(name.encode()) > _LONGEST:
        raise Invalid(_("名称“%(name)s”不对。") % {"name": name[:40]}, remedy=_("请照对方给的名称填写，不带引号和前后空格。"))


def check_lake_name(name: str, others: set[str]) -> None:
    if not _LAKE.fullmatch(name) or name in (ORG_PATH, PART):
        raise Invalid(
            _("列名“%(name)s”不能用。") % {"name": name[:40]},
            remedy=_("请用小写字母开头的字母、数字和下划线，不能叫 org_path 或 source。"),
        )
    if name in others:
        raise Invalid(_("已经有一列叫“%(name)s”。") % {"name": name}, remedy=_("请换一个名称。"))


def proposed_lake_name(name: str, number: int) -> str:
    """The name of a column in the lake before anybody chose one."""
    lower = name.lower()
    return lower if _LAKE.fullmatch(lower) and lower not in (ORG_PATH, PART) else f"column_{number}"
