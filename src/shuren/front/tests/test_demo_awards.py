from django.apps import apps
from tests.cast import build_cast

from shuren.certificates.api import verdict_by_number
from shuren.certificates.data import Verdict
from shuren.front.demo.awards import give_samples


def test_samples_are_good_certificates_and_say_what_they_are(db: None) -> None:
    cast = build_cast()
    people = {"head": cast.people["head"], "pupil": cast.people["pupil"], "teacher": cast.people["class_teacher"]}
    assert give_samples(**people, school=cast.orgs["school"], now=cast.now) == 3
    rows = list(apps.get_model("certificates", "Certificate").objects.select_related("version"))
    assert len(rows) == 3
    assert apps.get_model("certificates", "Template").objects.filter(name="学籍证明").exists()
    for row in rows:
        assert "示例" in row.narrative
        assert "示例" in row.version.name
        assert verdict_by_number(row.number, now=cast.now).verdict is Verdict.VALID
