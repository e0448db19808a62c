"""PostgreSQL to the moment, on a server of the test's own: base backup, ten thousand commits, the server destroyed."""

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from pytest_django.fixtures import Settings

from shuren.backups import api as backups
from shuren.backups.services.base import program_of
from shuren.backups.services.wal import fetch_segment, push_segment
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
SEGMENT = "000000010000000000000007"
_PUSH = """cp "$1" "{room}/push/$2.part" && mv "{room}/push/$2.part" "{room}/push/$2" &&
while [ -e "{room}/push/$2" ]; do sleep 0.02; done"""
_FETCH = """touch "{room}/ask/$1"; while [ ! -e "{room}/answer/$1" ]; do sleep 0.02; done
test -s "{room}/answer/$1" && mv "{room}/answer/$1" "$2" && exit 0; rm -f "{room}/answer/$1"; exit 1"""


def _turns(seconds: float = 60) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)
    raise AssertionError("it took too long")


class Server:
    """A cluster in a folder of its own, run by somebody who is not root; what it keeps and fetches goes through a desk."""

    def __init__(self, room: Path) -> None:
        self.room, self.data = room, room / "data"
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        for name in ("push", "ask", "answer", "socket"):
            (room / name).mkdir()
        (room / "push.sh").write_text(_PUSH.format(room=room))
        (room / "fetch.sh").write_text(_FETCH.format(room=room))
        self.own(room)

    @property
    def address(self) -> str:
        return f"postgresql:///postgres?host={self.room}/socket&user={self.user}"

    def own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", self.user, str(folder)], check=True)

    def run(self, *words: str) -> None:
        subprocess.run(words, check=True, user=self.user if os.geteuid() == 0 else None, cwd=self.room, stdout=subprocess.DEVNULL)

    def make(self) -> None:
        self.run(program_of("initdb"), "-D", str(self.data), "-U", self.user, "-A", "trust", "-N", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        archive = f"sh {self.room}/push.sh %p %f"
        words = f"-c listen_addresses='' -c unix_socket_directories={self.room}/socket -c fsync=off -c archive_mode=on"
        words += f' -c archive_command="{archive}"'
        self.run(program_of("pg_ctl"), "-D", str(self.data), "-w", "-l", f"{self.room}/log", "-o", words, "start")

    def stop(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.run(program_of("pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop")

    @contextmanager
    def desk(self) -> Iterator[None]:
        """Segments handed over are kept, those asked for are fetched, as the two commands would do it."""
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                for path in (self.room / "push").glob("[0-9A-F]*"):
                    if path.suffix != ".part":
                        push_segment(path, path.name)
                        path.unlink()
                for path in (self.room / "ask").iterdir():
                    answer = self.room / "answer" / path.name
                    path.unlink()
                    draft = self.room / "fetched"
                    try:
                        fetch_segment(path.name, draft)
                    except NotFound:
                        draft.touch()
                    self.own(draft)
                    draft.replace(answer)
                time.sleep(0.01)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    room = Path(tempfile.mkdtemp(prefix="shuren-pitr-"))
    room.chmod(0o755)
    made = Server(room)
    with made.desk():
        yield made
        made.stop()
    shutil.rmtree(room, ignore_errors=True)


@pytest.mark.django_db
@pytest.mark.skipif("not os.environ.get('SHUREN_DATABASE_URL')", reason="needs PostgreSQL's programs, which the other leg has")
def test_the_server_comes_back_as_it_was_at_a_moment(house: Path, server: Server) -> None:
    server.make()
    server.start()
    state = "SELECT count(*), md5(string_agg(id || value, ',' ORDER BY id)) FROM pupil"
    with psycopg.connect(server.address, autocommit=True) as database:
        database.execute("CREATE TABLE pupil (id serial PRIMARY KEY, value text)")
        database.execute("INSERT INTO pupil (value) SELECT md5(g::text) FROM generate_series(1, 5000) g")
        made = backups.make_base(address=server.address, actor=SYSTEM, now=datetime.now(UTC))
        database.execute("SET synchronous_commit = off")
        for number in range(10_000):
            database.execute("INSERT INTO pupil (value) VALUES (%s)", [f"commit {number}"])
            if number == 6_000:
                wanted = database.execute(state).fetchone()
                row = database.execute("SELECT clock_timestamp()").fetchone()
                time.sleep(0.05)
        assert row is not None
        last = database.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert last is not None
        for _turn in _turns():
            kept = database.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
            if kept and kept[0] and kept[0] >= last[0]:
                break
    server.stop()
    shutil.rmtree(server.data)
    manifest = backups.restore_base(folder=server.data, asked=backups.Asked(at=row[0]), fetch=["sh", f"{server.room}/fetch.sh"])
    assert manifest.id == made.manifest
    server.own(server.data)
    server.start()
    with psycopg.connect(server.address, autocommit=True) as database:
        for _turn in _turns():
            if database.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                break
        assert database.execute(state).fetchone() == wanted
    assert wanted is not None
    assert wanted[0] == 11_001


def test_a_segment_is_kept_once_and_another_under_its_name_is_refused(house: Path, settings: Settings) -> None:
    settings.SHUREN_BACKUP_TARGETS = [str(house / "place"), str(house / "second")]
    segment, back = house / "segment", house / "back"
    segment.write_bytes(os.urandom(1_000_000))
    push_segment(segment, SEGMENT)
    push_segment(segment, SEGMENT)
    fetch_segment(SEGMENT, back)
    assert back.read_bytes() == segment.read_bytes()
    segment.write_bytes(b"another")
    with pytest.raises(Conflict, match=SEGMENT):
        push_segment(segment, SEGMENT)
    kept = house / "place" / "wal" / SEGMENT
    kept.write_bytes(kept.read_bytes()[:-1])
    fetch_segment(SEGMENT, back)  # the second place has it whole
    (house / "second" / "wal" / SEGMENT).unlink()
    with pytest.raises(Invalid, match=SEGMENT):
        fetch_segment(SEGMENT, back)
    with pytest.raises(NotFound):
        fetch_segment("000000010000000000000008", back)
    with pytest.raises(Invalid):
        fetch_segment("../../etc/passwd", back)
