"""Accounts of others, looked after; first passwords for whole branches, which only their asker sees again."""

from django.apps import apps

from shuren.identity.data import BatchReach, Recipients, SlipForm
from shuren.identity.services.batches.start import start_batch
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, ROOT, Address, Area, act, form, page, roles

ASKER = roles("school_admin")

SIGN_IN_ADMINS = roles("system_admin security_admin")
TENDERS = MANAGERS | SIGN_IN_ADMINS

ACCOUNTS: dict[str, Address] = {
    "identity:accounts": page(TENDERS, denied=403),
    "identity:accounts_of_org": page(TENDERS, ROOT | SIGN_IN_ADMINS, org_id="org"),
    "identity:account_of_other": page(TENDERS, ROOT | SIGN_IN_ADMINS, account_id="account"),
    "identity:tend_account": act(TENDERS, ROOT | SIGN_IN_ADMINS, account_id="account", step="step"),
    "identity:new_batch": form(MANAGERS, ROOT, org_id="org"),
    "identity:batches": page(MANAGERS, denied=403),
    "identity:batch": page(ASKER, ROOT, batch_id="batch"),
    "identity:batch_progress": page(ASKER, ROOT, batch_id="batch"),
    "identity:batch_left_out": page(ASKER, ROOT, batch_id="batch"),
    "identity:stop_batch": act(ASKER, ROOT, batch_id="batch"),
    "identity:take_batch_files": act(ASKER, ROOT, batch_id="batch"),
    "identity:take_batch_file": act(ASKER, ROOT, batch_id="batch", file_id="file"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A batch of the school's administrator, and one that the province asked for elsewhere; each with a file."""

    def batch(key: str, org: str) -> tuple[str, str]:
        batch_id = start_batch(
            actor=cast.actor(key),
            org_id=cast.orgs[org].id,
            recipients=[Recipients.PUPILS],
            reach=BatchReach.NEW,
            form=SlipForm.SLIPS,
            site="https://edu.example/",
            now=cast.now,
        )
        file = apps.get_model("identity.CredentialFile").objects.create(
            batch_id=batch_id, org_id=cast.orgs[org].id, part=1, people=0, size=0, made_at=cast.now
        )
        return ids.encode("credential_batch", batch_id), ids.encode("credential_file", file.pk)

    def account(key: str) -> str:
        return ids.encode("account", cast.actor(key).account_id or 0)

    near, far = batch("school_admin", "class"), batch("province_officer", "far_class")
    return {
        "org": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id),
        "account": (account("pupil"), account("far_pupil")),
        "step": ("unlock", "unlock"),
        "batch": (near[0], far[0]),
        "file": (near[1], far[1]),
    }


AREA = Area(ACCOUNTS, places)
