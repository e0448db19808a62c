"""Certificates that cases of the hall end with: given with the office's template, or with the one that the pack brings."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from shuren.casework.api import check_pack, install_pack
from shuren.casework.data import DefinitionKind
from shuren.casework.models import CaseEvent, Outward
from shuren.casework.selectors.certificates import certificates_named
from shuren.casework.tests.conftest import define
from shuren.casework.tests.hall_cast import PACK, install_gov, proof_given
from shuren.casework.tests.pack_walks import submitted, walk
from shuren.casework.tests.pack_world import World, definitions
from shuren.casework.tests.test_every_pack import parts_of
from shuren.certificates.api import verdict_by_number
from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Verdict
from shuren.certificates.models import Certificate, Template
from shuren.certificates.services.bring_templates import bring_templates
from shuren.certificates.services.give_for_case import give_for_case
from shuren.certificates.services.write_template import add_template, change_template, retire_template
from shuren.kernel import events
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.work import api as work
from tests.cast import Cast, forget_news

__all__ = ["define"]
NAME = "学籍证明"


@pytest.fixture(autouse=True)
def public_url(settings: Any) -> None:
    settings.SHUREN_PUBLIC_URL = "https://certs.example.cn"


@pytest.fixture
def gov(cast: Cast, define: Any) -> Cast:
    install_gov(define)
    return cast


def own_words(fields: tuple[str, ...] = ()) -> NewTemplate:
    places = "".join(f"，{field}：{{{field}}}" for field in fields)
    return NewTemplate(
        kind=CertificateKind.DIPLOMA,
        name=NAME,
        name_en="Proof of school roll",
        criteria="学籍在本校。",
        wording="{name} 是{school}在读学生" + places + "。",
        layout=Layout.FORMAL,
        seal_text="东湖区教育局",
        levels=("school",),
        fields=fields,
    )


def template_of(cast: Cast, fields: tuple[str, ...]) -> None:
    county = cast.orgs["county"]
    add_template(actor=cast.actor("county_officer"), org_id=county.id, template=own_words(fields), now=cast.now)


def test_the_school_gives_with_the_countys_template_and_delivers(gov: Cast) -> None:
    template_of(gov, ("用途", "办件编号"))
    case = proof_given(gov)
    given = give_for_case(case_id=case.pk, name=NAME, now=gov.now)
    assert give_for_case(case_id=case.pk, name=NAME, now=gov.now) == given
    row = Certificate.objects.get()
    assert (row.holder_id, row.org_id) == (gov.people["pupil"].id, gov.orgs["school"].id)
    assert "用途：医疗保险" in row.narrative
    assert case.number in row.narrative
    assert verdict_by_number(row.number, now=gov.now).verdict is Verdict.VALID
    event = CaseEvent.objects.get(case=case, act="delivered")
    assert event.details == {"certificate": row.number, "name": NAME, "url": f"/verify/{row.number}/"}
    assert Outward.objects.get(kind="certificate").payload["verify_address"].startswith("https://")


def test_without_a_template_nothing_is_given_and_it_is_written_down(gov: Cast) -> None:
    case = proof_given(gov)
    assert give_for_case(case_id=case.pk, name=NAME, now=gov.now) is None
    entry = AuditEntry.objects.get(action="certificates.case_without_certificate")
    assert entry.target == f"case:{case.pk}"
    assert entry.details["certificate"] == NAME


def test_a_field_that_nobody_filled_in_is_named(gov: Cast) -> None:
    template_of(gov, ("出生地",))
    assert give_for_case(case_id=proof_given(gov).pk, name=NAME, now=gov.now) is None
    assert "出生地" in AuditEntry.objects.get(action="certificates.case_without_certificate").details["reason"]


@pytest.fixture
def fresh(cast: Cast) -> World:
    """The cast after `shuren packs install core gov`, with the work done that this set going."""
    forget_news()
    for key in ("core", "gov"):
        install_pack(actor=SYSTEM, key=key, now=cast.now)
    work.run_pending()
    return World(cast, experts=[cast.people["expert"]])


def test_every_flow_of_the_hall_delivers_its_certificate_on_a_fresh_installation(fresh: World) -> None:
    given = {one.name: one.flows for one in certificates_named(actor=SYSTEM, now=fresh.cast.now)}
    assert len(given) == len(list((PACK / "certificates").glob("*.yaml"))) == 7
    for _pack, one in definitions(DefinitionKind.FLOW):
        end = next((end for end in one.spec.ends if end.certificate), None) if one.spec and one.key.startswith("gov.") else None
        if end is None:
            continue
        flow, form, samples = parts_of(one)
        stage, outcome = next((s.key, o.key) for s in flow.stages for o in s.outcomes if o.to == f"end:{end.key}")
        case = submitted(flow, form, samples[0], fresh)
        assert walk(case, flow, (stage, outcome), fresh, variant=0), one.key
        work.run_pending()
        row = Certificate.objects.get(key__startswith=f"case:{case.pk}:")
        assert row.version.name == end.certificate
        assert "{" not in row.narrative
        assert verdict_by_number(row.number, now=fresh.cast.now).verdict is Verdict.VALID
        assert CaseEvent.objects.get(case=case, act="delivered").details["certificate"] == row.number


def test_what_the_region_wrote_or_retired_is_never_overwritten(fresh: World) -> None:
    now, province = fresh.cast.now, fresh.cast.orgs["province"]
    proof, diploma = (Template.objects.get(org_id=province.id, name=name) for name in (NAME, "毕业证明书"))
    change_template(actor=SYSTEM, template_id=proof.pk, template=own_words(), now=now)
    retire_template(actor=SYSTEM, template_id=diploma.pk, now=now)
    assert bring_templates(now=now) == 0
    proof.refresh_from_db()
    assert proof.current is not None
    assert proof.current.wording == own_words().wording
    assert not Template.objects.filter(name="毕业证明书", status="active").exists()


def test_the_root_org_gets_what_packs_brought_before_it(cast: Cast) -> None:
    for key in ("core", "gov"):
        install_pack(actor=SYSTEM, key=key, now=cast.now)
    forget_news()
    for org, count in ((cast.orgs["city"], 0), (cast.orgs["province"], 7)):
        events.publish("directory.org_added", {"org_id": org.id, "path": org.path}, now=cast.now)
        work.run_pending()
        assert Template.objects.count() == count


def test_officers_are_told_which_template_is_missing_and_make_it(gov: Cast) -> None:
    client = gov.client("county_officer")
    page = client.get("/hall/certificates/").content.decode()
    assert NAME in page
    (url,) = {found for found in re.findall(r'href="(/certificates/at/[^"]*)"', page) if quote(NAME) in found}
    assert f'value="{NAME}"' in client.get(url.replace("&amp;", "&")).content.decode()
    template_of(gov, ())
    assert quote(NAME) not in client.get("/hall/certificates/").content.decode()
    # What a school made serves that school alone.
    far = gov.client("province_officer").get("/hall/certificates/").content.decode()
    assert quote(NAME) in far
    assert gov.client("head").get("/hall/certificates/").status_code == 404


def test_a_pack_is_checked_for_certificates_that_nothing_can_give(fresh: World, settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "gov" / "certificates"
    folder.mkdir(parents=True)
    settings.SHUREN_PACKS = tmp_path
    (folder / "enrolment_proof.yaml").write_text("extends: true\nwording: '{name}，{说明}，{不在表里}'\n", encoding="utf-8")
    found = {finding.reason for finding in check_pack("gov") if finding.is_error}
    assert any("可以不填" in reason and "说明" in reason for reason in found)
    assert any("没有名为“不在表里”的字段" in reason for reason in found)
    (folder / "enrolment_proof.yaml").write_text("extends: true\nname: 学籍的证明\n", encoding="utf-8")
    Template.objects.filter(name=NAME).update(status="retired")
    found = {(finding.reason, finding.is_error) for finding in check_pack("gov")}
    assert ("没有办结会发“学籍的证明”。", False) in found
    assert ("平台没有名为“学籍证明”的证书模板，办结后发不出来。", False) in found
