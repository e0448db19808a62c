"""Where other installations call: everything but the first card is signed by a node that we trust."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shuren.datahub.models import ExchangeNode
from shuren.datahub.rules.exchange.cards import card_as_json
from shuren.datahub.rules.exchange.letters import LONGEST, opened
from shuren.datahub.selectors.exchange.nodes import trusted_node
from shuren.datahub.services.exchange.call_node import BASE
from shuren.datahub.services.exchange.hand_out import hand_out_bytes, hand_out_letters, hand_out_packets
from shuren.datahub.services.exchange.hold import CHUNK, held_bytes, hold_bytes
from shuren.datahub.services.exchange.sign_call import HEADER, caller_of
from shuren.datahub.services.exchange.take_letter import take_letter
from shuren.datahub.services.exchange.write_letter import ensure_own_card, signed_letter
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, NotFound, ShurenError

_View = Callable[..., HttpResponseBase]
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})")
_PER_MINUTE = 60


def _door(*methods: str) -> Callable[[_View], _View]:
    """An address for programs of other installations: no cookie counts here, and every error is JSON."""

    def made(view: _View) -> _View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except ShurenError as error:
                # To whom we do not know, what we have is no business of theirs.
                status = 403 if isinstance(error, NotFound) else error.status
                return JsonResponse({"message": error.message, "remedy": error.remedy}, status=status)

        return open_door(csrf_exempt(never_cache(require_http_methods(list(methods))(answered))))

    return made


@_door("POST")
def introductions(request: HttpRequest) -> HttpResponseBase:
    """A node with an invitation of ours hands in its card and is given ours."""
    key = f"datahub.introductions:{request.META.get('REMOTE_ADDR', '')}:{int(clock.now().timestamp() // 60)}"
    cache.add(key, 0, 120)
    if cache.incr(key) > _PER_MINUTE:
        return JsonResponse({"message": _("取得太快了。请一分钟后再试。"), "remedy": ""}, status=429)
    now, text = clock.now(), _text(request)
    if opened(text).kind != "card":
        raise Invalid(_("这里只接收节点名片。"))
    node = take_letter(text, now=now)
    body = {"card": card_as_json(ensure_own_card(now))}
    return JsonResponse({"letter": signed_letter("card", node.uid, body, now=now)})


@_door("GET", "POST")
def letters(request: HttpRequest) -> HttpResponseBase:
    """Letters to us, and those that wait for a node which we cannot call."""
    if request.method == "POST":
        text = _text(request)
        letter = opened(text)
        # New keys come in a letter signed with the old one; the call itself may be signed with what they bring.
        node = trusted_node(letter.sender) if letter.kind == "card" else _caller(request, request.body)
        written_by = take_letter(text, now=clock.now())
        if written_by.pk != node.pk:
            raise Invalid(_("信不是这个节点写的。"))
        return JsonResponse({"taken": True})
    node = _caller(request, b"")
    waiting = hand_out_letters(node, after=_number(request, "after"), now=clock.now())
    return JsonResponse({"letters": [{"id": letter.pk, "text": letter.text} for letter in waiting]})


@_door("GET")
def packets(request: HttpRequest) -> HttpResponseBase:
    """Packets that wait for a node which we cannot call."""
    told = [
        {"agreement": row.agreement.uid, "digest": row.digest, "number": row.number, "bytes": row.bytes}
        for row in hand_out_packets(_caller(request, b""), now=clock.now())
    ]
    return JsonResponse({"packets": told})


@_door("GET", "PUT")
def packet(request: HttpRequest, uid: str, digest: str) -> HttpResponseBase:
    """How much of a packet we have, and the next part of it."""
    if request.method == "GET":
        held, is_taken = held_bytes(_caller(request, b""), uid, digest, size=_number(request, "size"))
        return JsonResponse({"held": held, "is_taken": is_taken})
    data = request.read(CHUNK + 1)
    if len(data) > CHUNK:
        raise Invalid(_("包太大或分段不合规。"))
    node, offset, size = _caller(request, data), _number(request, "offset"), _number(request, "size")
    held = hold_bytes(node, uid, digest, offset=offset, size=size, data=data, now=clock.now())
    return JsonResponse({"held": held, "is_taken": False})


@_door("GET")
def packet_file(request: HttpRequest, uid: str, digest: str) -> HttpResponseBase:
    """The bytes of a packet that waits, `Range` by `Range`; what allows it to leave is looked at each time."""
    node = _caller(request, b"")
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    first, last = (int(asked[1]), int(asked[2])) if asked else (0, CHUNK - 1)
    data, size = hand_out_bytes(node, uid, digest, first=first, last=min(last, first + CHUNK - 1), now=clock.now())
    if not data:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    said = {"Content-Range": f"bytes {first}-{first + len(data) - 1}/{size}"}
    return HttpResponse(data, status=206, content_type="application/octet-stream", headers=said)


def _caller(request: HttpRequest, body: bytes) -> ExchangeNode:
    """Both sides sign what follows the address of the installation, so that a platform may stand below a path of its site."""
    path = BASE + request.get_full_path().partition(BASE)[2]
    return caller_of(request.headers.get(HEADER, ""), str(request.method), path, body, now=clock.now())


def _text(request: HttpRequest) -> str:
    if len(request.body) > LONGEST:
        raise Invalid(_("信太长了。"))
    return request.body.decode("ascii", "replace")


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(_("参数 %(name)s 应是一个数。") % {"name": name})
    return int(text)
