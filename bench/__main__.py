"""Run a bench: `python -m bench NAME [options]`; without a name all of them, what `docs/performance.md` keeps.

A bench that works in the product is imported only here, once Django knows its settings. Those of `THROWAWAY` get a data
folder, and where `SHUREN_DATABASE_URL` names PostgreSQL a database, of their own; `INSIDE` are steps of others, run in
the installation of their environment. Some take many minutes, and `region` and `web` need PostgreSQL on loopback.
"""

import os
import subprocess
import sys
from contextlib import nullcontext
from importlib import import_module

import django

from bench.frame import ROOT, throwaway

ALL = (
    "measurement",
    "roster",
    "results",
    "evaluate",
    "evidence",
    "backup",
    "tokens",
    "accounts",
    "region",
    "web",
    "sign_in",
    "certificates",
    "collections",
    "countersign",
    "handing_in",
    "cases",
    "webhooks",
    "scim",
    "oneroster",
    "registers",
    "quality",
    "lake",
    "catalogue",
    "statements",
)
THROWAWAY = (
    "roster",
    "results",
    "evaluate",
    "evidence",
    "tokens",
    "accounts",
    "sign_in",
    "certificates",
    "collections",
    "countersign",
    "handing_in",
    "cases",
    "webhooks",
    "scim",
    "oneroster",
    "registers",
    "quality",
    "lake",
    "catalogue",
    "statements",
)
INSIDE = ("cast", "drain", "collection_export")


def run_all() -> int:
    worst = 0
    for name in ALL:
        print(f"\n### {name}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", "bench", name], cwd=ROOT, check=False).returncode)
    return worst


def run(name: str, options: list[str]) -> int:
    with throwaway() if name in THROWAWAY else nullcontext():
        if name in THROWAWAY + INSIDE:
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
            django.setup()
        import_module(f"bench.{name}").main(options)
    return 0


def main(words: list[str]) -> int:
    if not words:
        return run_all()
    name, *options = words
    if name not in ALL + INSIDE:
        print(f"There is no bench {name}; there are {', '.join(ALL)}.", file=sys.stderr)
        return 2
    return run(name, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
