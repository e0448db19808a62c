"""The code of the browser and ours say the same of true and of forged draws."""

import copy
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shuren.casework.rules.draw_bundles import verify
from shuren.casework.rules.draws import Ticket, pools_of
from shuren.casework.tests.draw_cast import pool, rules
from shuren.casework.tests.test_rules_draw_bundles import bundle_over, sm3

FRONTEND = Path(__file__).parents[4] / "frontend"


def told_by_browser(bundles: list[dict[str, Any]]) -> list[dict[str, bool | None]]:
    run = subprocess.run(
        ["node", str(FRONTEND / "tests" / "verify-draw.mjs")],
        input=json.dumps(bundles),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=FRONTEND,
    )
    assert run.returncode == 0, run.stderr
    found: list[dict[str, bool | None]] = json.loads(run.stdout)
    return found


@pytest.mark.skipif(shutil.which("node") is None or not (FRONTEND / "node_modules/vite").exists(), reason="needs node and vite")
def test_the_browser_agrees() -> None:
    odd = [Ticket(f"s{n}", '校\u2028\n"\\𠮷\u007f' * 2, stratum=name) for n, name in enumerate(("𠮷", "\uff21", "乙", "", "乙"))]
    told = [
        bundle_over(pool(40, 15, strata=4), rules(11, 3)),
        bundle_over(pool(1, 12), rules(1, 1)),
        bundle_over(pools_of(odd, [Ticket("p1", "é"), Ticket("p2", "")]), rules(3, 1) | {"conflicts": []}),
        bundle_over(pool(30, 0), {"kind": "lottery", "count": 9, "conflicts": []}, value="掷骰子 4 2 6 🎲"),
    ]
    forged = copy.deepcopy(told[0])
    forged["contribution"]["value"] += "0"
    forged["pools"]["objects"][2]["label"] = "别的"
    broken = {**told[1], "secret": "zz"}
    bundles = [*told, forged, broken]
    ours = [{step.name: step.is_good for step in verify(json.loads(json.dumps(bundle)), sm3=sm3)} for bundle in bundles]
    assert told_by_browser(bundles) == ours
    assert all(all(found.values()) for found in ours[: len(told)])
    assert not any(all(found.values()) for found in ours[len(told) :])
