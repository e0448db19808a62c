"""What one person of the load does: signs in, then lists, searches and reads reports with 2 s between pages."""

import json
import os
import random
import re
from itertools import cycle
from pathlib import Path

from locust import FastHttpUser, constant, task

CAST = cycle(json.loads(Path(os.environ["BENCH_CAST"]).read_text()).values())
WORDS = ("王", "李伟", "zhangwei", "lm", "小学", "实验", "第一", "chen")
LINK = re.compile(r'href="(/reports/[a-z0-9]{13}/[a-z0-9]{13}/)"')
ORG = re.compile(r'href="(/orgs/[a-z0-9]{13}/)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Person(FastHttpUser):
    wait_time = constant(2)

    def on_start(self) -> None:
        account = next(CAST)
        token = TOKEN.search(self.client.get("/sign-in/", name="sign in").text).group(1)
        form = {"username": account["username"], "password": account["password"], "csrfmiddlewaretoken": token}
        self.client.post("/sign-in/", form, name="sign in", headers={"Referer": f"{self.host}/sign-in/"})
        self.reports = LINK.findall(self.client.get("/reports/", name="reports").text)
        self.orgs = ORG.findall(self.client.get("/orgs/", name="orgs").text)

    @task(2)
    def home(self) -> None:
        self.client.get("/", name="home")

    @task(4)
    def people(self) -> None:
        self.client.get(f"/people/?page={random.randint(1, 20)}", name="people list")

    @task(2)
    def people_by_name(self) -> None:
        self.client.get(f"/people/?q={random.choice(WORDS)}", name="people by name")

    @task(3)
    def search(self) -> None:
        self.client.get(f"/search/?q={random.choice(WORDS)}", name="search")

    @task(3)
    def org(self) -> None:
        if self.orgs:
            answer = self.client.get(random.choice(self.orgs), name="org")
            self.orgs = list(set(self.orgs + ORG.findall(answer.text)))[:200]

    @task(4)
    def report(self) -> None:
        if self.reports:
            answer = self.client.get(random.choice(self.reports), name="report")
            self.reports = list(set(self.reports + LINK.findall(answer.text)))[:200]
