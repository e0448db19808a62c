"""Where the house itself may reach people outside: what stands in the roster, and what they bound to their account."""

from collections.abc import Collection

from shuren.identity.models import Account, VendorBinding
from shuren.messaging.data import Channel

_AT_ONCE = 5_000
_VENDORS = (Channel.WECOM, Channel.DINGTALK, Channel.WECHAT)


def addresses_of(person_ids: Collection[int]) -> dict[int, dict[Channel, str]]:
    """Per person the address on each channel where one is known; people without an account that works are left out.

    For messages of the house itself: who asks has checked that these people are to be told.
    """
    wanted = sorted(set(person_ids))
    found: dict[int, dict[Channel, str]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        accounts = Account.objects.filter(person_id__in=some, is_active=True)
        for person_id, phone, email in accounts.values_list("person_id", "person__phone", "person__email"):
            told = {Channel.SMS: phone, Channel.EMAIL: email}
            found[person_id] = {channel: to for channel, to in told.items() if to}
        bound = VendorBinding.objects.filter(
            account__person_id__in=some, account__is_active=True, vendor__in=[vendor.value for vendor in _VENDORS]
        )
        for person_id, vendor, subject in bound.values_list("account__person_id", "vendor", "subject"):
            found[person_id][Channel(vendor)] = subject
    return found
