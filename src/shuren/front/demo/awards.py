"""Sample certificates for the cast, so that their pages are alive; each says on its face that it is an example."""

from datetime import datetime

from shuren.certificates import api as certificates
from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Recipient
from shuren.directory.data import OrgData, PersonData
from shuren.kernel.data import Actor

PUPIL_TEMPLATES = (
    NewTemplate(
        kind=CertificateKind.HONOUR,
        name="三好学生（示例）",
        name_en="Merit Student (example)",
        criteria="品德好、学习好、身体好。",
        wording="{name} 同学（{school}{class}）在本学年中表现优秀，被评为{等级}。本证书是演示用的示例。",
        layout=Layout.FORMAL,
        seal_text="演示学校",
        fields=("等级",),
    ),
    NewTemplate(
        kind=CertificateKind.GROWTH,
        name="阅读之星（示例）",
        name_en="Star Reader (example)",
        criteria="一学期读完十本书，并写下读后感。",
        wording="{name} 同学读完十本书，并写下了读后感。本证书是演示用的示例。",
        layout=Layout.BRIGHT,
        seal_text="演示学校",
    ),
)
TEACHER_TEMPLATE = NewTemplate(
    kind=CertificateKind.HONOUR,
    name="优秀班主任（示例）",
    name_en="Outstanding Class Teacher (example)",
    criteria="班级管理和家校沟通成绩突出。",
    wording="{name} 老师在{school}工作成绩突出。本证书是演示用的示例。",
    layout=Layout.PLAIN,
    seal_text="演示学校",
    valid_months=36,
)

# Given by the school itself whenever a parent's application for it is granted; the name is the one the item says.
PROOF_TEMPLATE = NewTemplate(
    kind=CertificateKind.DIPLOMA,
    name="学籍证明",
    name_en="Proof of School Roll",
    criteria="学生在本校有学籍，信息经学校核对。",
    wording="{name} 是{school}{class}在读学生，学籍在本校。用途：{用途}。本证明是演示用的示例。",
    layout=Layout.PLAIN,
    seal_text="演示学校",
    valid_months=6,
    fields=("用途",),
)


def give_samples(*, head: PersonData, school: OrgData, pupil: PersonData, teacher: PersonData, now: datetime) -> int:
    """Have the head set up what the school gives and give the samples in its name; returns how many were given."""
    actor = Actor(person_id=head.id, account_id=None, name=head.name)
    certificates.add_template(actor=actor, org_id=school.id, template=PROOF_TEMPLATE, now=now)
    wanted = [(template, pupil) for template in PUPIL_TEMPLATES] + [(TEACHER_TEMPLATE, teacher)]
    for template, person in wanted:
        template_id = certificates.add_template(actor=actor, org_id=school.id, template=template, now=now)
        recipient = Recipient(person.id, dict.fromkeys(template.fields, "一等奖"))
        certificates.give_certificate(
            actor=actor, org_id=school.id, template_id=template_id, recipient=recipient, key=f"demo:{template.name}", now=now
        )
    return len(wanted)
