"""The cast of certificates' tests: the portal's cast, with a template of the school."""

from typing import Any

import pytest
from tests.cast import Cast, build_cast, forget_news

from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Recipient
from shuren.certificates.services.give import give_certificate
from shuren.certificates.services.write_template import add_template

BASE = "https://certs.example.cn"


def new_template(**changes: Any) -> NewTemplate:
    said: dict[str, Any] = {
        "kind": CertificateKind.HONOUR,
        "name": "三好学生",
        "name_en": "Merit Student",
        "criteria": "品德好、学习好、身体好。",
        "wording": "{name} 同学（{school}{class}）在本学年中获得{等级}，特发此证。",
        "layout": Layout.FORMAL,
        "seal_text": "东湖区实验小学",
        "fields": ("等级",),
    }
    return NewTemplate(**(said | changes))


@pytest.fixture(autouse=True)
def public_url(settings: Any) -> None:
    settings.SHUREN_PUBLIC_URL = BASE


@pytest.fixture
def cast(db: None) -> Cast:
    found = build_cast()
    forget_news()
    return found


@pytest.fixture
def template_id(cast: Cast) -> int:
    actor = cast.actor("school_admin")
    return add_template(actor=actor, org_id=cast.orgs["school"].id, template=new_template(), now=cast.now)


@pytest.fixture
def certificate_id(cast: Cast, template_id: int) -> int:
    return give_certificate(
        actor=cast.actor("school_admin"),
        org_id=cast.orgs["school"].id,
        template_id=template_id,
        recipient=Recipient(cast.people["pupil"].id, {"等级": "一等奖"}),
        now=cast.now,
    )
