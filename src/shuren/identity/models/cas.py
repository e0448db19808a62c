"""Services that ask by CAS who somebody is, and the tickets they were given."""

from django.db import models

from shuren.identity.models.account import Account


class CasService(models.Model):
    """A piece of campus software: its addresses (one origin, one path and what lies beneath), and what it may know.

    Only people of the branch `org` get in. `user` says which name of theirs it is told. A first-party service is the
    house's own: nobody is asked before it is told. Any other belongs to an app of the register, by its `client`.
    """

    name = models.CharField(max_length=80)
    origin = models.CharField(max_length=300)
    path = models.CharField(max_length=500, default="/")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    user = models.CharField(max_length=20)
    attributes = models.JSONField(default=list)
    may_proxy = models.BooleanField(default=False)
    signs_out = models.BooleanField(default=True)
    is_first_party = models.BooleanField(default=False)
    client = models.ForeignKey("identity.Client", on_delete=models.PROTECT, null=True, related_name="+")
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["origin", "path"], name="cas_service_address")]

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


class CasTicket(models.Model):
    """A ticket as a keyed hash: service (ST), proxy (PT) or proxy-granting (PGT).

    `sign_in_id` names the session it came from; the row of that session goes when it ends, hence no foreign key. A used
    ticket is kept sealed, because the sign-out notice names it. `chain` lists the proxies, newest first.
    """

    kind = models.CharField(max_length=3)
    digest = models.CharField(max_length=64, unique=True)
    service = models.ForeignKey(CasService, on_delete=models.CASCADE, related_name="tickets")
    service_url = models.CharField(max_length=2000)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    sign_in_id = models.BigIntegerField(db_index=True)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    chain = models.JSONField(default=list)
    is_fresh = models.BooleanField(default=False)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    sealed = models.BinaryField(null=True)
    told_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.issued_at:%Y-%m-%d %H:%M}"
