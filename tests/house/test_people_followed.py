"""Whatever points at a person or an account says what becomes of it when two are one, and when somebody is erased."""

import pytest
from django.apps import apps

from tests.house.source import APPS, SRC

# Merged: it "moves" to the kept one, "goes", or "stays" as a fact about what was done under the dropped entry, which leads on.
# Erased as a whole: it "goes", "stays" without naming anybody, or "ends" and stays.
FATES: dict[str, tuple[str, str]] = {
    "casework.Case.filer": ("moves", "stays"),
    "casework.Case.subject": ("moves", "stays"),
    "casework.Delegation.delegate": ("moves", "stays"),
    "casework.Delegation.person": ("moves", "stays"),
    "casework.Entry.subject": ("moves", "stays"),
    "casework.WorkItem.asker": ("stays", "stays"),
    "casework.WorkItem.assignee": ("moves", "stays"),
    "casework.WorkItem.done_by": ("stays", "stays"),
    "casework.WorkItem.for_person": ("stays", "stays"),
    "certificates.BatchItem.person": ("moves", "stays"),
    "certificates.Certificate.holder": ("moves", "stays"),
    "certificates.DigitalCertificate.person": ("moves", "stays"),
    "certificates.Share.holder": ("moves", "ends"),
    "directory.Affiliation.person": ("moves", "stays"),
    "directory.BreakGlass.holder": ("stays", "stays"),
    "directory.BreakGlass.reviewed_by": ("stays", "stays"),
    "directory.BreakGlass.subject": ("moves", "stays"),
    "directory.Consent.decided_by": ("moves", "stays"),
    "directory.Consent.entered_by": ("stays", "stays"),
    "directory.Consent.person": ("moves", "stays"),
    "directory.ConsentText.published_by": ("stays", "stays"),
    "directory.Disclosure.person": ("moves", "stays"),
    "directory.DuplicatePair.first": ("goes", "stays"),
    "directory.DuplicatePair.second": ("goes", "stays"),
    "directory.Enrollment.person": ("moves", "stays"),
    "directory.FormerNumber.person": ("moves", "goes"),
    "directory.Grant.confirmed_by": ("stays", "stays"),
    "directory.Grant.granted_by": ("moves", "stays"),
    "directory.Grant.person": ("moves", "stays"),
    "directory.GuardianLink.guardian": ("moves", "stays"),
    "directory.GuardianLink.ward": ("moves", "stays"),
    "directory.Person.merged_into": ("moves", "stays"),
    "directory.SubjectRequest.answered_by": ("stays", "stays"),
    "directory.SubjectRequest.asked_by": ("moves", "stays"),
    "directory.SubjectRequest.proposed_by": ("stays", "stays"),
    "directory.SubjectRequest.subject": ("moves", "stays"),
    "identity.Account.person": ("moves", "ends"),
    "identity.AppConsent.account": ("stays", "ends"),
    "identity.Authorization.account": ("goes", "ends"),
    "identity.BindingCode.guardian": ("moves", "stays"),
    "identity.BindingCode.ward": ("moves", "stays"),
    "identity.CasTicket.account": ("goes", "ends"),
    "identity.CredentialBatch.asked_by": ("stays", "stays"),
    "identity.Device.account": ("stays", "goes"),
    "identity.FormerPassword.account": ("stays", "goes"),
    "identity.FormerUsername.account": ("moves", "goes"),
    "identity.LeftOut.person": ("stays", "stays"),
    "identity.OneTimeCode.account": ("stays", "goes"),
    "identity.Passkey.account": ("goes", "goes"),
    "identity.PicturePassword.account": ("stays", "goes"),
    "identity.QrTicket.account": ("stays", "goes"),
    "identity.RecoveryCode.account": ("stays", "goes"),
    "identity.SamlSession.account": ("goes", "ends"),
    "identity.SignIn.account": ("goes", "goes"),
    "identity.TotpSecret.account": ("moves", "goes"),
    "identity.UpstreamLink.account": ("moves", "goes"),
    "identity.UpstreamSession.account": ("stays", "stays"),
    "identity.VendorBinding.account": ("moves", "goes"),
    "interop.Installation.chosen_by": ("stays", "stays"),
    "interop.LaunchCount.person": ("moves", "goes"),
    "interop.LtiLink.created_by": ("stays", "stays"),
    "interop.LtiResult.person": ("moves", "goes"),
    "interop.Mark.person": ("moves", "goes"),
    "interop.Submission.decided_by": ("stays", "stays"),
    "interop.Vendor.decided_by": ("stays", "stays"),
    "interop.VendorMember.person": ("moves", "goes"),
    "records.CaliperEvent.person": ("moves", "goes"),
    "records.Course.imported_by": ("stays", "stays"),
    "records.CourseRegistration.person": ("moves", "goes"),
    "records.Document.person": ("moves", "goes"),
    "records.Statement.person": ("moves", "goes"),
}


def pointing() -> set[str]:
    return {
        f"{model._meta.label}.{field.name}"
        for app in APPS
        if apps.is_installed(f"shuren.{app}")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        if field.related_model._meta.label in ("directory.Person", "identity.Account")
    }


def test_whatever_points_at_people_has_a_fate() -> None:
    assert pointing() == set(FATES)


@pytest.mark.parametrize("place", sorted(name for name, fates in FATES.items() if fates[0] == "moves"))
def test_what_moves_is_named_where_people_are_merged(place: str) -> None:
    """The merge of the app speaks of the model, or reaches it over the person."""
    app, model, field = place.split(".")
    source = {
        "casework": "services/follow_people.py",
        "certificates": "services/follow_people.py",
        "directory": "services/decide_duplicate.py",
        "identity": "services/merge_accounts.py",
        "interop": "services/follow_people.py",
        "records": "services/follow_people.py",
    }[app]
    text = (SRC / "shuren" / app / source).read_text()
    assert model in text
    assert field in text
