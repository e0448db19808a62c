"""The officer at the browser: signs in, sends a file, looks how far it is, has it written, starts an evaluation."""

import re
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import requests

from tests.faults.installation import wait_until

USERNAME, PASSWORD = "officer", "kavu-mite-tane-4827"
LOOK_PAUSE = 0.1
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
LINKS = {name: re.compile(rf'href="(/{name}/[0-9a-z]{{13}}/)"') for name in ("imports", "reports")}


class Stand(StrEnum):
    """What a page of an import or a run shows."""

    BUSY = "busy"
    READY = "ready"
    OVER = "over"


class Officer:
    """One signed-in session; it outlives the server it talks to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers["Referer"] = url
        answer = self.post("/sign-in/", "/sign-in/", username=USERNAME, password=PASSWORD)
        assert self.get("/imports/").url == f"{url}/imports/", answer.text

    def get(self, address: str) -> requests.Response:
        # A connection kept open from an earlier page may belong to a server that was killed since.
        answer = self.session.get(self.url + address, timeout=60, headers={"Connection": "close"})
        assert answer.status_code == 200, (address, answer.status_code, answer.text[:2000])
        return answer

    def post(self, address: str, form: str, *, file: Path | None = None, **fields: str) -> requests.Response:
        """Fill in the form that stands on the page `form`."""
        found = TOKEN.search(self.get(form).text)
        assert found is not None, f"{form} has no form"
        data = {"csrfmiddlewaretoken": found.group(1), **fields}
        files = {"file": (file.name, file.read_bytes())} if file else None
        answer = self.session.post(self.url + address, data, files=files, timeout=60, headers={"Connection": "close"})
        assert answer.status_code == 200, (address, answer.status_code, answer.text[:2000])
        return answer

    def send(self, kind: str, file: Path) -> str:
        """Upload a file; returns the address of its import."""
        address = f"/imports/new/{kind}/"
        return self.post(address, address, file=file).url.removeprefix(self.url)

    def start_run(self) -> str:
        """Start the evaluation that is declared; returns its address."""
        address = self.newest("reports")
        self.post(f"{address}start/", address)
        return address

    def newest(self, name: str) -> str:
        """The address of the first of the imports, or of the reports."""
        found = LINKS[name].search(self.get(f"/{name}/").text)
        assert found is not None, f"no {name}"
        return found.group(1)

    def look(self, address: str) -> Stand:
        page = self.get(address).text
        if "progress-line" in page:
            return Stand.BUSY
        return Stand.READY if f'action="{address}apply/"' in page else Stand.OVER

    def go_on(self, address: str, *, until: Callable[[], object] = bool, patience: float) -> bool:
        """Do what the page asks for until it asks for nothing more, or until the condition; whether either came in time."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if until():
                return True
            stand = self.look(address)
            if stand is Stand.OVER:
                return True
            if stand is Stand.READY:
                self.post(f"{address}apply/", address)
            wait_until(until, patience=LOOK_PAUSE, pause=0.01)
        return False
