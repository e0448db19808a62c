"""The portal under load on the region of `python -m bench region`: 50 people with 2 s think time, then more until it breaks.

Locust drives it from the same machine, so its own CPU is part of the figure. Prints p50, p95 and p99 per kind of page for
the first crowd, and for each the rate, p95 and failures, until p95 passes 1 s or a request fails. `--crowds 10 --seconds 15`
is a quick look.
"""

import argparse
import csv
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from bench.frame import ROOT
from bench.region import FOLDER, environment

CROWDS = "50,100,200,400"
BREAKING_P95 = 1000.0
PEOPLE_PER_SECOND = 5
ARRIVAL_PATIENCE = 180
CELLS = ("Name", "Request Count", "50%", "95%", "99%", "Failure Count")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(port: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "shuren.front.cli", "serve", "--no-migrate", "--port", str(port)]
    server = subprocess.Popen(words, cwd=ROOT, env=environment() | {"SHUREN_WORKERS": "2", "SHUREN_THREADS": "2"})
    wait_for(port, server)
    return server


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    server.terminate()
    raise RuntimeError("serve did not answer")


def crowd(port: int, users: int, seconds: int) -> list[dict[str, str]]:
    """The statistics of one crowd, from when everybody is signed in; the last row is the total."""
    out = FOLDER / f"locust-{users}"
    words = [sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "locustfile.py"), "--headless", "--only-summary"]
    words += ["--host", f"http://127.0.0.1:{port}", "-u", str(users), "-r", str(max(PEOPLE_PER_SECOND, users // 10))]
    words += ["-t", f"{seconds + ARRIVAL_PATIENCE}s", "--csv", str(out)]
    told_it = {"BENCH_CAST": str(FOLDER / "cast.json"), "BENCH_SECONDS": str(seconds)}
    Path(f"{out}_stats.csv").unlink(missing_ok=True)
    # Locust ends with 1 when a request failed; the table says so, and other ends leave no table.
    told = subprocess.run(words, cwd=ROOT, env=os.environ | told_it, check=False, capture_output=True)
    Path(f"{out}.log").write_bytes(told.stderr)
    with Path(f"{out}_stats.csv").open() as file:
        return list(csv.DictReader(file))


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench web", description=__doc__)
    parser.add_argument("--crowds", default=CROWDS)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args(options)
    crowds = [int(users) for users in chosen.crowds.split(",")]
    port = free_port()
    server = serve(port)
    try:
        for users in crowds:
            rows = crowd(port, users, chosen.seconds)
            total = rows[-1]
            if users == crowds[0]:
                print("| page | requests | p50 ms | p95 ms | p99 ms | failures |\n|---|---|---|---|---|---|")
                for row in (row for row in rows if int(row["Request Count"])):
                    print(f"| {' | '.join(row[name] for name in CELLS)} |")
                print("\n| users | requests/s | p50 ms | p95 ms | failures |\n|---|---|---|---|---|")
            rate = float(total["Requests/s"])
            print(f"| {users} | {rate:.1f} | {total['50%']} | {total['95%']} | {total['Failure Count']} |", flush=True)
            if float(total["95%"]) > BREAKING_P95 or int(total["Failure Count"]):
                break
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
