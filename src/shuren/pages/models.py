"""What a list and a page remember for one account: the views it saved, the hints it has put away.

Accounts stand on a higher floor, so an account is a plain number here.
"""

from django.db import models


class SavedView(models.Model):
    """A list as somebody wants to find it again: the page, and the part of its address that filters, sorts and chooses."""

    NAME_LIMIT = 60
    QUERY_LIMIT = 2_000

    account_id = models.BigIntegerField()
    path = models.CharField(max_length=300)
    list_name = models.CharField(max_length=60)
    list_title = models.CharField(max_length=100)
    name = models.CharField(max_length=NAME_LIMIT)
    query = models.CharField(max_length=QUERY_LIMIT, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "path", "list_name", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name


class ReadHint(models.Model):
    """A hint that an account has put away for ever."""

    account_id = models.BigIntegerField()
    key = models.CharField(max_length=60)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "key"], name="read_hint_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.key}"
