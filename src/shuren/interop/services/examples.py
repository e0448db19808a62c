"""Example apps for a demonstration: one in use, one waiting for review, one that fails its test, one that has left.

They go the ordinary way, with two exceptions that no page hides: nobody tested them, since there is no real service behind
them, and they cannot be opened. Their names say that they are examples.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

from django.conf import settings
from PIL import Image, ImageDraw

from shuren.directory import api as directory
from shuren.interop.data import AppCategory, Applicant, DataPurpose, DataWish, Decision, Entry, LaunchKind, VersionStatus
from shuren.interop.models import App, AppVersion, ConformityTest, Submission, Vendor
from shuren.interop.selectors.people import actor_of_person
from shuren.interop.selectors.vendors import vendor_row_of_token
from shuren.interop.services.choose import install_app
from shuren.interop.services.conformity.service import run_conformity
from shuren.interop.services.govern import announce_leave, end_leaving
from shuren.interop.services.register_vendor import decide_vendor, register_vendor
from shuren.interop.services.review import decide_submission, open_review
from shuren.interop.services.sandbox import make_sandbox
from shuren.interop.services.write_entry import add_app
from shuren.kernel import audit, clock
from shuren.kernel.data import Actor
from shuren.standards.data import Grade

_SITE = "https://example.invalid"
_NAME = DataWish("person.name", DataPurpose.TEACHING, "在作业本上显示姓名", Grade.PERSONAL)
_GRADE = DataWish("person.grade", DataPurpose.TEACHING, "按年级选题目", Grade.INTERNAL)


@dataclass(frozen=True, slots=True)
class _Example:
    name: str
    name_en: str
    category: AppCategory
    description: str
    description_en: str
    colour: str
    wishes: tuple[DataWish, ...] = ()


_USED = _Example(
    "口算本（示例）",
    "Sums (example)",
    AppCategory.HOMEWORK_ASSESSMENT,
    "每天十道口算题，老师看得到谁还没做。演示用的示例，背后没有真实的服务。",
    "Ten sums a day; teachers see who is missing. An example for demonstration, without a service behind it.",
    "#2563a8",
    (_NAME, _GRADE),
)
_WAITING = _Example(
    "单词卡（示例）",
    "Word cards (example)",
    AppCategory.LANGUAGE_LEARNING,
    "看图记单词，错的多出现几次。演示用的示例，背后没有真实的服务。",
    "Words with pictures; what was wrong comes again. An example for demonstration, without a service behind it.",
    "#2f7d4f",
    (_GRADE,),
)
_FAILING = _Example(
    "朗读课（示例）",
    "Reading aloud (example)",
    AppCategory.LANGUAGE_LEARNING,
    "跟读课文，听自己的录音。还在沙箱里，没有通过符合性测试。演示用的示例。",
    "Read along and listen to oneself. Still in the sandbox, and fails the conformity test. An example for demonstration.",
    "#a85a1c",
    (_NAME,),
)
_LEFT = _Example(
    "投票器（示例）",
    "Class poll (example)",
    AppCategory.INTERACTIVE_CLASSROOM,
    "课堂上举手表决。服务商已停止服务，应用已经下架。演示用的示例。",
    "Polls in class. Its vendor has ended the service and the app has left. An example for demonstration.",
    "#6b4fa0",
)


def make_example_apps(*, officer: Actor, head: Actor, org_id: int, school_id: int, now: datetime) -> int:
    """Enter the examples for the branch `org_id`, one of them chosen by the school; returns the person of their vendor.

    `officer` approves apps in the branch and `head` chooses them for the school.
    """
    vendor = _vendor(officer, org_id, now)
    used, left = (_listed(vendor, officer, example, org_id, now) for example in (_USED, _LEFT))
    for app_id in (used, left):
        install_app(actor=head, app_id=app_id, org_id=school_id, has_read_data=True, now=now)
    _lay_before(vendor, _entered(vendor, _WAITING, now), org_id, now)
    failing = _entered(vendor, _FAILING, now)
    make_sandbox(actor=vendor, now=now)
    test = ConformityTest.objects.create(version=failing, content_hash=failing.content_hash, started_at=now)
    run_conformity(test_id=test.pk, issuer=str(settings.SHUREN_PUBLIC_URL) or _SITE)
    told = now - timedelta(days=settings.SHUREN_APP_NOTICE_DAYS)
    announce_leave(actor=officer, app_id=left, leaves_on=clock.day_of(now), reason="服务商停止服务。", now=told)
    end_leaving(now=now)
    assert vendor.person_id is not None
    return vendor.person_id


def _vendor(officer: Actor, org_id: int, now: datetime) -> Actor:
    applicant = Applicant(
        name="学习工坊（示例服务商）", credit_code="91440101MA5EXAMP0X", contact_name="黎示例", email="vendor@example.invalid"
    )
    row = vendor_row_of_token(register_vendor(applicant=applicant, org_id=org_id, now=now))
    Vendor.objects.filter(pk=row.pk).update(email_checked_at=now)
    decide_vendor(actor=officer, vendor_id=row.pk, is_approved=True, reason="", now=now)
    return actor_of_person(row.members.values_list("person_id", flat=True)[0])


def _entered(vendor: Actor, example: _Example, now: datetime) -> AppVersion:
    app_id = add_app(actor=vendor, entry=_entry(example), now=now)
    App.objects.filter(pk=app_id).update(is_example=True)
    return AppVersion.objects.select_related("app").get(app_id=app_id)


def _entry(example: _Example) -> Entry:
    return Entry(
        name=example.name,
        name_en=example.name_en,
        category=example.category,
        description=example.description,
        description_en=example.description_en,
        kind=LaunchKind.OIDC,
        launch_url=f"{_SITE}/start",
        redirect_uris=(f"{_SITE}/callback",),
        privacy_url=f"{_SITE}/privacy",
        privacy_text="只用来出题和显示作业，不给别人，学期结束后三十天内删除。",
        wishes=example.wishes,
        icon=_icon(example.colour),
    )


def _icon(colour: str) -> bytes:
    """A square in the colour of the app, with an open book."""
    picture = Image.new("RGB", (256, 256), colour)
    draw = ImageDraw.Draw(picture)
    draw.polygon([(128, 92), (52, 70), (52, 176), (128, 198)], fill="white")
    draw.polygon([(128, 92), (204, 70), (204, 176), (128, 198)], fill="#e8edf3")
    kept = BytesIO()
    picture.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _lay_before(vendor: Actor, version: AppVersion, org_id: int, now: datetime) -> int:
    """Submit without the test that an example cannot pass."""
    path = directory.orgs_by_ids([org_id])[org_id].path
    row = Submission.objects.create(version=version, org_id=org_id, org_path=path, submitted_at=now)
    AppVersion.objects.filter(pk=version.pk).update(status=VersionStatus.SUBMITTED)
    details = {"version_id": version.pk, "org_id": org_id, "is_example": True}
    audit.record(actor=vendor, action="interop.version_submitted", target=f"app:{version.app_id}", details=details, now=now)
    open_review(row, actor=vendor, now=now)
    return row.pk


def _listed(vendor: Actor, officer: Actor, example: _Example, org_id: int, now: datetime) -> int:
    version = _entered(vendor, example, now)
    submission_id = _lay_before(vendor, version, org_id, now)
    decide_submission(actor=officer, submission_id=submission_id, decision=Decision.APPROVE, reason="", now=now)
    return version.app_id
