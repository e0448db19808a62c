"""What tools send us: content items, line items, scores; every field of theirs is looked at before it is believed."""

import json
import math
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from shuren.interop.data import ActivityProgress, GradingProgress, LineItemData, NewLineItem, Score
from shuren.interop.rules.entries import is_web_address
from shuren.interop.rules.lti import names
from shuren.kernel.errors import Invalid

MAX_ITEMS = 50
_MAX_CUSTOM = 30
_MAX_POINTS = 1e9


def _text(body: Mapping[str, Any], name: str, *, most: int, is_needed: bool = False) -> str:
    value = body.get(name)
    if value is None and not is_needed:
        return ""
    if not isinstance(value, str) or len(value) > most or "\0" in value or (is_needed and not value.strip()):
        raise Invalid(_("%(field)s 要是文字，最多 %(most)d 个字。") % {"field": name, "most": most})
    return value


def _number(body: Mapping[str, Any], name: str, *, is_above_zero: bool = False) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value <= _MAX_POINTS or (is_above_zero and value == 0):
        raise Invalid(_("%(field)s 要是不小于 0 的数。") % {"field": name})
    return float(value)


def _moment(body: Mapping[str, Any], name: str, *, is_needed: bool = False) -> datetime | None:
    """A moment of ISO 8601 with its offset; without one it would mean another moment elsewhere."""
    text = _text(body, name, most=40, is_needed=is_needed)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid(_("%(field)s 要写成 ISO 8601 时间，带时区。") % {"field": name})
    return moment


def issuer_named_in(text: str) -> str:
    """Whom an unchecked JWT says it is by; empty where it cannot be read. Says which keys to check it with, no more."""
    try:
        body = text.split(".")[1]
        claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return ""
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) and issuer.isprintable() else ""


def line_item_in(body: Any) -> tuple[NewLineItem, str]:
    """A line item (LTI-AGS 2.0, 3.2.5) and the public id of the link it names, empty where it names none."""
    if not isinstance(body, dict):
        raise Invalid(_("请求的内容要是一个 JSON 对象。"))
    maximum = _number(body, "scoreMaximum", is_above_zero=True)
    if maximum is None:
        raise Invalid(_("scoreMaximum 要是大于 0 的数。"))
    item = NewLineItem(
        label=_text(body, "label", most=200, is_needed=True),
        score_maximum=maximum,
        resource_id=_text(body, "resourceId", most=200),
        tag=_text(body, "tag", most=200),
        starts_at=_moment(body, "startDateTime"),
        ends_at=_moment(body, "endDateTime"),
    )
    return item, _text(body, "resourceLinkId", most=64)


def line_item_out(item: LineItemData, *, url: str, link_id: str) -> dict[str, Any]:
    body: dict[str, Any] = {"id": url, "label": item.label, "scoreMaximum": item.score_maximum}
    optional = {
        "resourceId": item.resource_id,
        "tag": item.tag,
        "resourceLinkId": link_id,
        "startDateTime": item.starts_at.isoformat() if item.starts_at else "",
        "endDateTime": item.ends_at.isoformat() if item.ends_at else "",
    }
    return body | {name: value for name, value in optional.items() if value}


def score_in(body: Any) -> Score:
    """A score (LTI-AGS 2.0, 3.4): `scoreGiven` needs `scoreMaximum`, and may lie above it."""
    if not isinstance(body, dict):
        raise Invalid(_("请求的内容要是一个 JSON 对象。"))
    given, maximum = _number(body, "scoreGiven"), _number(body, "scoreMaximum", is_above_zero=True)
    if given is not None and maximum is None:
        raise Invalid(_("写了 scoreGiven 就要写 scoreMaximum。"))
    try:
        activity = ActivityProgress(str(body.get("activityProgress")))
        grading = GradingProgress(str(body.get("gradingProgress")))
    except ValueError:
        raise Invalid(_("activityProgress 或 gradingProgress 不是规范里的值。")) from None
    scored_at = _moment(body, "timestamp", is_needed=True)
    assert scored_at is not None
    return Score(
        subject=_text(body, "userId", most=255, is_needed=True),
        given=given,
        maximum=maximum if given is not None else None,
        comment=_text(body, "comment", most=2000),
        activity=activity,
        grading=grading,
        scored_at=scored_at,
    )


def on_scale(given: float | None, maximum: float | None, line_item_maximum: float) -> float | None:
    """A score on the scale of its line item (LTI-AGS 2.0, 3.4.2)."""
    if given is None or not maximum:
        return None
    return given / maximum * line_item_maximum


def content_items_in(claims: Mapping[str, Any], *, hosts: frozenset[str], may_be_plain: bool) -> list[dict[str, Any]]:
    """The resource links of a deep linking response, checked; items of other kinds were not asked for and are left out.

    An address must lie on one of the tool's own hosts, so that an approved app cannot lead a class anywhere else.
    """
    items = claims.get(f"{names.DEEP_LINK_CLAIM}content_items", [])
    if not isinstance(items, list) or len(items) > MAX_ITEMS or not all(isinstance(item, dict) for item in items):
        raise Invalid(_("应用送来的内容看不懂，或者超过 %(most)d 项。") % {"most": MAX_ITEMS})
    wanted = [item for item in items if item.get("type") == "ltiResourceLink"]
    return [_content_item(item, hosts=hosts, may_be_plain=may_be_plain) for item in wanted]


def _content_item(item: Mapping[str, Any], *, hosts: frozenset[str], may_be_plain: bool) -> dict[str, Any]:
    url = _text(item, "url", most=500)
    if url and (not is_web_address(url, may_be_plain=may_be_plain) or urlsplit(url).netloc not in hosts):
        raise Invalid(_("应用送来的网址不在它登记的网站上，没有添加。"))
    custom = item.get("custom") or {}
    is_flat = isinstance(custom, dict) and all(
        isinstance(key, str) and isinstance(value, str) and len(key) <= 100 and len(value) <= 1000
        for key, value in custom.items()
    )
    if not is_flat or len(custom) > _MAX_CUSTOM:
        raise Invalid(_("应用送来的内容看不懂，没有添加。"))
    line_item = item.get("lineItem")
    if line_item is not None:
        label = {"label": line_item.get("label") or item.get("title")} if isinstance(line_item, dict) else {}
        line_item = line_item_in({**line_item, **label} if isinstance(line_item, dict) else line_item)[0]
    return {
        "title": _text(item, "title", most=200),
        "text": _text(item, "text", most=1000),
        "url": url,
        "custom": custom,
        "line_item": line_item,
    }
