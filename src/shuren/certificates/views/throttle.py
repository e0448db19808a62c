"""How often one address may ask for what costs a signature or a search."""

from django.core.cache import cache
from django.http import HttpRequest

from shuren.kernel import clock


def may_ask(request: HttpRequest, what: str, *, per_minute: int) -> bool:
    """Whether the address has asked for `what` no more than so often in this minute; counts the question."""
    minute = int(clock.now().timestamp() // 60)
    key = f"certificates.{what}:{request.META.get('REMOTE_ADDR', '')}:{minute}"
    cache.add(key, 0, 120)
    return cache.incr(key) <= per_minute
