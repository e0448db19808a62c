"""Courses made by hand, and a unit as its developer would write it."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from tests.cast import Cast

from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.records.models import Course, CoursePart, CourseRegistration, Statement
from shuren.records.rules.cmi5.structure import NAMESPACE
from shuren.records.services.cmi5.import_course import import_course
from shuren.records.services.cmi5.register import register_class

HOME = "https://region.example.cn"
VERBS = "http://adlnet.gov/expapi/verbs/"
ADL = "https://w3id.org/xapi/adl/verbs/"
CMI5 = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
MOVE_ON = "https://w3id.org/xapi/cmi5/context/categories/moveon"
SESSION = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"
MASTERY = "https://w3id.org/xapi/cmi5/context/extensions/masteryscore"
PUBLISHER = "https://press.example.org/geology"


def words(title: str) -> str:
    return (
        f'<title><langstring lang="zh-CN">{title}</langstring></title>'
        f'<description><langstring lang="zh-CN">{title}的说明</langstring></description>'
    )


def unit(name: str, *, url: str = "", more: str = "", **told: str) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in told.items())
    address = url or f"https://content.example.org/{name}.html"
    return f'<au id="{PUBLISHER}/au/{name}"{attributes}>{words(name)}<url> {address} </url>{more}</au>'


def block(name: str, *inner: str) -> str:
    return f'<block id="{PUBLISHER}/block/{name}">{words(name)}{"".join(inner)}</block>'


def course(*parts: str, before: str = "", id: str = PUBLISHER) -> bytes:
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><courseStructure xmlns="{NAMESPACE}">'
        f'<course id=" {id} ">{words("地质")}</course>{before}{"".join(parts)}</courseStructure>'
    )
    return text.encode()


def package(structure: bytes | None, files: Mapping[str, bytes], *, is_zip64: bool = False) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        named = ({} if structure is None else {"cmi5.xml": structure}) | dict(files)
        for name, content in named.items():
            with archive.open(name, "w", force_zip64=is_zip64) as file:
                file.write(content)
    made.seek(0)
    return made


def actor_of(cast: Cast, key: str) -> Actor:
    return Actor(person_id=cast.people[key].id, account_id=1, name=cast.people[key].name)


def bring_in(cast: Cast, content: bytes, *, by: str = "school_admin", org: str = "school", is_open: bool = False) -> Course:
    return import_course(
        actor=actor_of(cast, by),
        org_id=cast.orgs[org].id,
        file=io.BytesIO(content),
        is_open=is_open,
        issuer=HOME,
        now=clock.now(),
    )


def give(cast: Cast, found: Course) -> CourseRegistration:
    """To the class; returns the pupil's registration."""
    class_id = cast.orgs["class"].id
    register_class(actor=actor_of(cast, "teacher"), course_id=found.pk, class_id=class_id, issuer=HOME, now=clock.now())
    return CourseRegistration.objects.get(course=found, person_id=cast.people["pupil"].id)


def part_named(found: Course, name: str) -> CoursePart:
    return CoursePart.objects.get(course=found, publisher_id__endswith=f"/{name}")


def statements_of(registration: CourseRegistration) -> list[dict[str, Any]]:
    """All that is kept about a registration, in the order of storing."""
    rows = Statement.objects.filter(registration=registration.key).order_by("stored", "seq")
    return [json.loads(body) for body in rows.values_list("body", flat=True)]


def verbs_of(registration: CourseRegistration) -> list[str]:
    return [one["verb"]["id"].rpartition("/")[2] for one in statements_of(registration)]


def launch(browser: Client, registration: CourseRegistration, part: CoursePart, mode: str = "Normal") -> str:
    """Press the button; the address that the page leads to."""
    registration_id = ids.encode("course_registration", registration.pk)
    page = browser.post(f"/courses/mine/{registration_id}/units/{ids.encode('course_part', part.pk)}/open/?mode={mode}")
    assert page.status_code == 200, page.content
    return str(page.context["url"])


@dataclass
class Unit:
    """A unit that was opened by this address: it fetches its token, reads how to behave, and tells what happens."""

    url: str
    token: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = {key: values[0] for key, values in parse_qs(urlsplit(self.url).query).items()}
        self.browser = Client()

    def fetch(self) -> dict[str, Any]:
        answer = self.browser.post(urlsplit(self.told["fetch"]).path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        found: dict[str, Any] = answer.json()
        self.token = found.get("auth-token", self.token)
        return found

    def begin(self) -> "Unit":
        self.fetch()
        self.data = self.get("activities/state", {**self.place, "stateId": "LMS.LaunchData"}).json()
        return self

    @property
    def place(self) -> dict[str, str]:
        return {key: self.told[key] for key in ("activityId", "registration")} | {"agent": self.told["actor"]}

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Basic {self.token}", "x-experience-api-version": "1.0.3"}

    def get(self, resource: str, params: Mapping[str, str]) -> HttpResponse:
        return self.browser.get(f"/xapi/{resource}", dict(params), headers=self.headers)  # type: ignore[return-value]

    def put(self, resource: str, params: Mapping[str, str], body: Any, **headers: str) -> HttpResponse:
        return self.browser.put(  # type: ignore[return-value]
            f"/xapi/{resource}?{urlencode(params)}",
            json.dumps(body),
            content_type="application/json",
            headers=self.headers | {key.replace("_", "-"): value for key, value in headers.items()},
        )

    def statement(self, verb: str, /, *, is_defined: bool = True, at: str = "", **changed: Any) -> dict[str, Any]:
        """As the specification wants it, with what the test changes laid over it; None takes something out."""
        says = {"completed": {"completion": True}, "passed": {"success": True}, "failed": {"success": False}}.get(verb, {})
        result: dict[str, Any] = dict(says) | ({} if verb in ("initialized", "played") else {"duration": "PT5M"})
        context = json.loads(json.dumps(self.data["contextTemplate"]))
        context["registration"] = self.told["registration"]
        categories = [CMI5] * is_defined + [MOVE_ON] * (is_defined and bool(says))
        if categories:
            context["contextActivities"]["category"] = [{"id": one} for one in categories]
        if "masteryScore" in self.data and "score" in changed.get("result", {}):
            context["extensions"][MASTERY] = self.data["masteryScore"]
        made: dict[str, Any] = {
            "id": str(uuid4()),
            "actor": json.loads(self.told["actor"]),
            "verb": {"id": VERBS + verb},
            "object": {"id": self.told["activityId"]},
            "result": result,
            "context": context,
            "timestamp": at or clock.now().isoformat().replace("+00:00", "Z"),
        }
        return _laid(made, changed)

    def send(self, *statements: dict[str, Any]) -> HttpResponse:
        body = json.dumps(list(statements))
        sent = self.browser.post("/xapi/statements", body, content_type="application/json", headers=self.headers)
        return sent  # type: ignore[return-value]  # noqa: RET504  # the line would be too long

    def say(self, verb: str, /, **changed: Any) -> int:
        return self.send(self.statement(verb, **changed)).status_code


def _laid(made: dict[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in changed.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = _laid(made[key], value)
        else:
            made[key] = value
    return made
