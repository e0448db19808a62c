"""The portal under load on the region of `bench/region.py`: 50 people with 2 s think time, then more until it breaks.

Locust drives it from the same machine, so its own CPU is part of the figure. Prints p50, p95 and p99 per kind of page
for 50 users, and for each larger crowd the rate, p95 and failures, until p95 passes 1 s or a request fails.
"""

import csv
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from region import FOLDER, ROOT, environment

CROWDS = (50, 100, 200, 400)
SECONDS = 60
BREAKING_P95 = 1000.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(port: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "shuren.front.cli", "serve", "--no-migrate", "--port", str(port)]
    server = subprocess.Popen(words, cwd=ROOT, env=environment() | {"SHUREN_WORKERS": "2", "SHUREN_THREADS": "4"})
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=1).close()
            return server
        except OSError:
            time.sleep(0.5)
    raise RuntimeError("serve did not answer")


def crowd(port: int, users: int) -> list[dict[str, str]]:
    out = FOLDER / f"locust-{users}"
    words = [sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "locustfile.py"), "--headless", "--only-summary"]
    words += ["--host", f"http://127.0.0.1:{port}", "-u", str(users), "-r", str(max(5, users // 10)), "-t", f"{SECONDS}s"]
    words += ["--csv", str(out), "--reset-stats"]
    subprocess.run(words, cwd=ROOT, env=os.environ | {"BENCH_CAST": str(FOLDER / "cast.json")}, check=False, capture_output=True)
    with Path(f"{out}_stats.csv").open() as file:
        return list(csv.DictReader(file))


def main() -> None:
    port = free_port()
    server = serve(port)
    try:
        for users in CROWDS:
            rows = crowd(port, users)
            total = rows[-1]
            if users == CROWDS[0]:
                print("| page | requests | p50 ms | p95 ms | p99 ms | failures |\n|---|---|---|---|---|---|")
                for row in rows:
                    cells = [row[name] for name in ("Name", "Request Count", "50%", "95%", "99%", "Failure Count")]
                    print(f"| {' | '.join(cells)} |")
                print("\n| users | requests/s | p50 ms | p95 ms | failures |\n|---|---|---|---|---|")
            rate = float(total["Requests/s"])
            print(f"| {users} | {rate:.1f} | {total['50%']} | {total['95%']} | {total['Failure Count']} |", flush=True)
            if float(total["95%"]) > BREAKING_P95 or int(total["Failure Count"]):
                break
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


if __name__ == "__main__":
    main()
