"""What a person may set on their own account."""

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.identity.models import Account
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid


def choose_language(*, actor: Actor, language: str) -> None:
    """Remember the language in which the actor's account is greeted at the next sign-in."""
    if language not in dict(settings.LANGUAGES):
        raise Invalid(_("没有这种语言。"))
    assert actor.account_id is not None
    Account.objects.filter(pk=actor.account_id).update(language=language)
