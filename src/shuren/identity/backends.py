"""The door's lock: who an account belongs to and whether the password fits."""

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from shuren.identity.data import Visit
from shuren.identity.models import Account
from shuren.identity.rules import locks
from shuren.identity.services import sign_in
from shuren.kernel import clock


class AccountBackend(BaseBackend):
    """Lets Django sign an account in by any name its person goes by; failures count against the account."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **others: object
    ) -> Account | None:
        if username is None or password is None:
            return None
        address = locks.network_address(request.META.get("REMOTE_ADDR", "")) if request else ""
        outcome = sign_in.check_sign_in(name=username, password=password, visit=Visit(address=address), now=clock.now())
        return None if outcome.account_id is None else Account.objects.get(pk=outcome.account_id)

    def get_user(self, user_id: int) -> Account | None:
        return Account.objects.with_person().filter(pk=user_id, is_active=True).first()
