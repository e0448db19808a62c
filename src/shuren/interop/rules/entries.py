"""What an app's entry must say, and when a newer one asks for more than the older."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from shuren.interop.data import DataWish, Entry, LaunchKind
from shuren.interop.rules.oneroster.scopes import ALL as ONEROSTER_SCOPES
from shuren.standards.data import Grade

PERSONAL = frozenset({Grade.PERSONAL, Grade.SENSITIVE})
MAX_ICON_BYTES = 64 * 1024
# Scopes that open the data of the orgs that chose an app; the others concern the app alone.
DATA_SCOPES = ("directory.read", "registers.read", "registers.write", "scim.read", "scim.write", *ONEROSTER_SCOPES)
# Learning records of the app alone: what it tells and told, its own documents. Those of others open to none.
RECORD_SCOPES = ("statements/write", "statements/read/mine", "state", "define")
# Scopes of every app that people sign in to by OpenID Connect.
SIGN_IN_SCOPES = frozenset({"openid", "profile", "org"})
SCOPES = (*DATA_SCOPES, *RECORD_SCOPES, "crypto", "webhooks", "lineage.write")
# Not personal by its grade, but it follows somebody for life and joins what apps know: told only where people agreed.
BY_NOTICE = frozenset({"person.number"})
_PNG = b"\x89PNG\r\n\x1a\n"
_CHINESE = re.compile(r"[一-鿿]")


def entry_faults(entry: Entry, *, name_range: tuple[int, int], may_be_plain: bool) -> list[str]:
    """Every fault as a sentence with its remedy. `may_be_plain` allows http to this machine, for development."""
    return [
        *_name_faults(entry, name_range),
        *_address_faults(entry, may_be_plain=may_be_plain),
        *_privacy_faults(entry),
        *_wish_faults(entry.wishes),
        *icon_faults(entry.icon),
    ]


def _name_faults(entry: Entry, name_range: tuple[int, int]) -> list[str]:
    low, high = name_range
    faults = []
    if not low <= len(entry.name) <= high or not _CHINESE.search(entry.name):
        faults.append(_("应用名称要有 %(low)d 到 %(high)d 个字，并且含有汉字。") % {"low": low, "high": high})
    if not entry.name_en.strip():
        faults.append(_("请填写英文名称。"))
    if not entry.description.strip() or not entry.description_en.strip():
        faults.append(_("请用中文和英文各写一段介绍。"))
    return faults


def _address_faults(entry: Entry, *, may_be_plain: bool) -> list[str]:
    faults = []
    named = {
        _("打开应用的网址"): [entry.launch_url],
        _("登录后回到的网址"): list(entry.redirect_uris),
        _("公钥网址"): [entry.jwks_uri],
        _("退出通知网址"): [entry.logout_url],
        _("消息通知网址"): [entry.webhook_url],
        _("隐私政策网址"): [entry.privacy_url],
    }
    for label, urls in named.items():
        faults += [
            _("%(label)s“%(url)s”不是完整的 https 网址，请检查。") % {"label": label, "url": url}
            for url in urls
            if url and not is_web_address(url, may_be_plain=may_be_plain)
        ]
    if not entry.launch_url:
        faults.append(_("请填写打开应用的网址。"))
    if entry.kind in (LaunchKind.OIDC, LaunchKind.LTI) and not entry.redirect_uris:
        faults.append(_("请至少填写一个登录后回到的网址。"))
    if entry.kind is LaunchKind.LTI and not entry.jwks_uri:
        faults.append(_("LTI 应用要填写公钥网址。"))
    if entry.events and not entry.webhook_url:
        faults.append(_("订阅消息需要填写消息通知网址。"))
    return faults


def is_web_address(url: str, *, may_be_plain: bool) -> bool:
    """An absolute address without user, fragment, white space or backslash; https unless `may_be_plain`."""
    if re.search(r"[\s\\#]", url) or not url.isascii():
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    schemes = {"https", "http"} if may_be_plain else {"https"}
    return parts.scheme in schemes and bool(parts.hostname) and parts.username is None and port != 0


def _privacy_faults(entry: Entry) -> list[str]:
    if not entry.privacy_url or len(entry.privacy_text.strip()) < 20:
        return [_("请填写隐私政策网址，并在这里写明怎样使用和保护数据（至少 20 个字）。")]
    return []


def _wish_faults(wishes: Iterable[DataWish]) -> list[str]:
    faults = [
        _("数据项 %(element)s 没有写清为什么需要（至少 5 个字）。") % {"element": wish.element}
        for wish in wishes
        if len(wish.reason.strip()) < 5
    ]
    pairs = [(wish.element, wish.purpose) for wish in wishes]
    if len(pairs) != len(set(pairs)):
        faults.append(_("同一个数据项和用途写了两次，请删去一个。"))
    return faults


def icon_faults(icon: bytes) -> list[str]:
    """A square PNG of 128 to 1024 pixels and at most 64 kB (PNG, W3C, IHDR chunk)."""
    if not icon:
        return [_("请上传应用图标。")]
    if len(icon) > MAX_ICON_BYTES or not icon.startswith(_PNG) or icon[12:16] != b"IHDR" or len(icon) < 33:
        return [_("图标要是 64 KB 以内的 PNG 图片。")]
    width, height = int.from_bytes(icon[16:20], "big"), int.from_bytes(icon[20:24], "big")
    if width != height or not 128 <= width <= 1024:
        return [_("图标要是正方形，边长 128 到 1024 像素，现在是 %(width)d×%(height)d。") % {"width": width, "height": height}]
    return []


def content_hash(entry: Entry) -> str:
    """Covers everything an officer approves and a conformity test tests."""
    facts = asdict(entry) | {"icon": hashlib.sha256(entry.icon).hexdigest()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()


def asks_for_more(newer: Entry, older: Entry) -> bool:
    """Whether schools and guardians must agree anew: another element, another purpose, or now for children too."""
    wanted = {(wish.element, wish.purpose) for wish in newer.wishes}
    held = {(wish.element, wish.purpose) for wish in older.wishes}
    return not wanted <= held or not set(newer.scopes) <= set(older.scopes) or (newer.serves_minors and not older.serves_minors)


def is_asked(wish: DataWish) -> bool:
    """Whether people are asked before the element goes to an app."""
    return wish.grade in PERSONAL or wish.element in BY_NOTICE


def needs_consent(wishes: Iterable[DataWish]) -> bool:
    """Personal data goes to an app only where the person, or a child's guardian, agrees."""
    return any(map(is_asked, wishes))


def stands_on(agreed: LaunchKind, current: LaunchKind) -> bool:
    """Whether an app of kind `current` can still run where an entry of kind `agreed` was agreed to.

    An app that goes over to LTI, or comes from it, goes on with another client, of which nobody was told.
    """
    return (agreed is LaunchKind.LTI) is (current is LaunchKind.LTI)
