"""The crowd of `python -m bench sign_in`, a process of its own: people who open the door and come in, each told to wait or not.

`python -m bench.storm PORT PASSWORD --seconds 600` sends browsers that do what the door's script does: read the page, ask whose
turn it is until it is theirs, send name and password, and where the answer is 503 come back after `Retry-After`. Half arrive in
the first quarter of their minute, as after a bell.
"""

import argparse
import heapq
import http.client
import json
import re
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

PATIENCE = 120
PLACE = re.compile(r"您排在第 (\d+) 位，大约还要等 (\d+) 秒")


@dataclass
class Person:
    """Somebody on the way in: when they came, what they were told at first, how often they asked."""

    name: str
    arrived: float
    cookie: str = ""
    token: str = ""
    ticket: str = ""
    told: int | None = None
    asked: int = 0
    inside: float = 0.0
    fault: str = ""


@dataclass
class Crowd:
    """Whose turn is when, shared by the threads that carry requests."""

    port: int
    password: str
    due: list[tuple[float, int, Person]] = field(default_factory=list)
    left: int = 0
    lock: threading.Condition = field(default_factory=threading.Condition)

    def add(self, at: float, person: Person) -> None:
        with self.lock:
            heapq.heappush(self.due, (at, id(person), person))
            self.lock.notify()

    def take(self) -> Person | None:
        """The next whose time has come; None when everybody is through."""
        with self.lock:
            while self.left:
                now = time.monotonic()
                if self.due and self.due[0][0] <= now:
                    return heapq.heappop(self.due)[2]
                self.lock.wait(min(1.0, self.due[0][0] - now) if self.due else 1.0)
            return None

    def carry(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        while person := self.take():
            try:
                again = self.step(line, person)
            except (OSError, http.client.HTTPException) as error:
                line.close()
                again, person.fault = None, type(error).__name__
            if again is not None:
                self.add(again, person)
                continue
            person.inside = time.monotonic()
            with self.lock:
                self.left -= 1
                self.lock.notify_all()

    def step(self, line: http.client.HTTPConnection, person: Person) -> float | None:
        """One visit to the door; returns when to come back."""
        if not person.token:
            answer, page = self.ask(line, "/sign-in/", person)
            if answer.status != 200:
                person.fault = str(answer.status)
                return None
            person.cookie = "; ".join(line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', page)
            person.token = found[1] if found else ""
        answer, page = self.ask(line, f"/sign-in/queue/?ticket={quote(person.ticket)}", person)
        person.asked += 1
        if answer.status != 200:
            person.fault = str(answer.status)
            return None
        turn = json.loads(page)
        person.ticket = turn["ticket"]
        if turn["again"]:
            person.told = person.told if person.told is not None else round(turn["seconds"])
            return time.monotonic() + float(turn["again"])
        sent = {"username": person.name, "password": self.password, "ticket": person.ticket, "csrfmiddlewaretoken": person.token}
        answer, page = self.ask(line, "/sign-in/", person, urlencode(sent))
        if answer.status == 503 and answer.headers["Retry-After"]:
            shown, ticket = PLACE.search(page), re.search(r'name="ticket" value="([^"]*)"', page)
            if shown is None or ticket is None:
                person.fault = "503 without a place"
                return None
            person.ticket = ticket[1]
            person.told = person.told if person.told is not None else int(shown[2])
            return time.monotonic() + int(answer.headers["Retry-After"])
        person.fault = "" if answer.status == 302 else str(answer.status)
        return None

    def ask(
        self, line: http.client.HTTPConnection, path: str, person: Person, body: str = ""
    ) -> tuple[http.client.HTTPResponse, str]:
        head = {"Cookie": person.cookie} if person.cookie else {}
        if body:
            head["Content-Type"] = "application/x-www-form-urlencoded"
        line.request("POST" if body else "GET", path, body or None, head)
        answer = line.getresponse()
        return answer, answer.read().decode()


def arrival(place: int, count: int, seconds: float) -> float:
    """Evenly, but every other person comes in the first quarter of their minute, as after a bell."""
    at = place / count * seconds
    minute = at // 60 * 60
    return minute + (at - minute) / 4 if place % 2 else at


def row(label: str, values: list[float]) -> str:
    values = sorted(values) or [0.0]
    p50, p95 = (values[min(len(values) - 1, int(len(values) * share))] for share in (0.5, 0.95))
    return f"  {label:<54} p50 {p50:7.2f} s  p95 {p95:7.2f} s  longest {values[-1]:7.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("password")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=20_000 / 600)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=32)
    wanted = parser.parse_args()
    count, began = round(wanted.seconds * wanted.rate), time.monotonic()
    people = [Person(f"b{i % wanted.people:08d}", began + arrival(i, count, wanted.seconds)) for i in range(count)]
    crowd = Crowd(wanted.port, wanted.password, left=count)
    for person in people:
        crowd.add(person.arrived, person)
    threads = [threading.Thread(target=crowd.carry) for _line in range(wanted.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waited = [person for person in people if person.told is not None]
    faults = sorted(person.fault for person in people if person.fault)
    took = max(person.inside for person in people) - began
    print(f"storm: {count:,} people in {wanted.seconds:.0f} s ({wanted.rate:.1f}/s); the last inside after {took:.0f} s")
    asked = max(person.asked for person in people)
    print(f"  errors {len(faults)} {sorted(set(faults))}; told to wait {len(waited):,}; nobody asked more than {asked} times")
    print(row("from arrival to inside", [person.inside - person.arrived for person in people]))
    print(row("the wait they were told at first", [float(person.told or 0) for person in waited]))
    print(row("how long those waited", [person.inside - person.arrived for person in waited]))


if __name__ == "__main__":
    main()
