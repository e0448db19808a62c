"""What one person of the load does: signs in, then opens pages of their own branch with 2 s between them.

The figures begin when everybody is in. Who there is and which addresses each has reason to open stands in the file that
`BENCH_CAST` names (`bench/cast.py` wrote it). The weights are those of a bureau's or school's ordinary day: people are
looked up more often than reports are read, and one's own level is read more often than another.
"""

import json
import os
import random
import re
from itertools import cycle
from pathlib import Path

from gevent import spawn_later
from locust import FastHttpUser, constant, task
from locust.exception import RescheduleTaskImmediately

CAST = json.loads(Path(os.environ["BENCH_CAST"]).read_text())
random.Random(20260620).shuffle(CAST)
NEXT = cycle(CAST)
WORDS = ("王", "李", "张", "陈", "刘", "李伟", "王一", "zhangwei", "lm", "chen")
PLACES = ("小学", "实验", "第一", "中学", "初一", "一年级")
ROLES = ("pupil", "teacher", "head", "class_teacher", "county_officer")
SECONDS = float(os.environ["BENCH_SECONDS"])
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Person(FastHttpUser):
    """One signed-in browser."""

    wait_time = constant(2)
    arrived = 0

    def on_start(self) -> None:
        self.account = next(NEXT)
        token = TOKEN.search(self.client.get("/sign-in/", name="sign in: page").text)
        assert token is not None
        form = {"csrfmiddlewaretoken": token.group(1), **{name: self.account[name] for name in ("username", "password")}}
        with self.client.post(
            "/sign-in/", form, name="sign in", headers={"Referer": f"{self.host}/sign-in/"}, catch_response=True
        ) as answer:
            if "/sign-in/" in answer.url:
                answer.failure("not let in")
        Person.arrived += 1
        if Person.arrived == self.environment.runner.target_user_count:
            # What came before was a crowd at the door and cold caches.
            self.environment.stats.reset_all()
            spawn_later(SECONDS, self.environment.runner.quit)

    def open(self, name: str) -> None:
        """Open one of the addresses the account has of this kind of page; without any, do something else at once."""
        known = self.account["addresses"].get(name)
        if not known:
            raise RescheduleTaskImmediately
        self.client.get(random.choice(known), name=name)

    @task(6)
    def home(self) -> None:
        self.client.get("/", name="home")

    @task(6)
    def people(self) -> None:
        self.client.get(f"/people/?page={random.choice((1, 1, 1, 2, 3, 20))}", name="people")

    @task(4)
    def people_of_a_role(self) -> None:
        self.client.get(f"/people/?role={random.choice(ROLES)}", name="people, one role")

    @task(6)
    def people_by_name(self) -> None:
        self.client.get(f"/people/?q={random.choice(WORDS)}", name="people, by name")

    @task(10)
    def person(self) -> None:
        self.open("person")

    @task(6)
    def suggestions(self) -> None:
        self.client.get(f"/search/suggest/?q={random.choice(WORDS + PLACES)}", name="search suggestions")

    @task(4)
    def search(self) -> None:
        self.client.get(f"/search/?q={random.choice(WORDS + PLACES)}", name="search")

    @task(3)
    def orgs(self) -> None:
        self.client.get("/orgs/", name="orgs")

    @task(2)
    def orgs_by_name(self) -> None:
        self.client.get(f"/orgs/?q={random.choice(PLACES)}", name="orgs, by name")

    @task(6)
    def org(self) -> None:
        self.open("org")

    @task(4)
    def people_of_an_org(self) -> None:
        self.open("people of an org")

    @task(3)
    def reports(self) -> None:
        self.client.get("/reports/", name="reports")

    @task(2)
    def city_report(self) -> None:
        self.open("city report")

    @task(4)
    def district_report(self) -> None:
        self.open("district report")

    @task(8)
    def school_report(self) -> None:
        self.open("school report")

    @task(10)
    def class_report(self) -> None:
        self.open("class report")

    @task(6)
    def pupil_report(self) -> None:
        self.open("pupil report")

    @task(2)
    def assessments(self) -> None:
        self.client.get("/assessments/", name="assessments")

    @task(2)
    def notices(self) -> None:
        self.client.get("/notices/", name="notices")
