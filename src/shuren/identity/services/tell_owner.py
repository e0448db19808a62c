"""The owner of an account is told of every new way into it: whoever else opened one would do so in silence."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from shuren.identity.models import Account
from shuren.messaging import api as messaging


def tell_of_way_in(*, account: Account, name: str, now: datetime) -> None:
    """Tell that `name` opens the account from now on, in the language of the account."""
    if account.person_id is None:
        return
    with translation.override(account.language or settings.LANGUAGE_CODE):
        messaging.notify(
            person_ids=[account.person_id],
            title=_("您的账号多了一种登录方式"),
            body=_("现在用“%(name)s”也能登录您的账号。如果不是您本人做的，请马上解除绑定，并修改密码。") % {"name": name},
            url=reverse("identity:security"),
            now=now,
        )
