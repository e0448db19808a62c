"""Build the front end into static files when its sources changed; bring Node along where the system has none."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "frontend"
ICONS = ROOT / "src" / "shuren" / "pages" / "icons.json"
DIST = ROOT / "src" / "shuren" / "front" / "static" / "front" / "dist"
FONTS = ROOT / "src" / "shuren" / "pages" / "fonts"
STAMP = DIST / "sources.sha256"
OLDEST_NODE = (20, 19)


def source_hash() -> str:
    """Digest of everything the build reads, packages included by way of the lock file."""
    digest = hashlib.sha256()
    files = [path for path in SOURCES.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    for path in sorted([*files, ICONS]):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(b"\0")
        digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()


def is_current(wanted: str) -> bool:
    """Whether the last build came from these sources and all of it still lies there."""
    if not STAMP.is_file() or STAMP.read_text().strip() != wanted:
        return False
    return (DIST / "manifest.json").is_file() and len(list(FONTS.glob("*.ttf"))) == 2


def node_version(node: str) -> tuple[int, ...]:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in re.findall(r"\d+", answer.stdout)[:2])


def system_path() -> str | None:
    """The search path, if Node in it is new enough and npm is there too."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return os.environ["PATH"]
    return None


def venv_path() -> str:
    """A search path that begins with the virtual environment's own Node, installed there first."""
    scripts = Path(sys.executable).parent
    if not (scripts / "npm").exists():
        requirements = ROOT / "requirements-node.txt"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", str(requirements)], check=True)
    return os.pathsep.join([str(scripts), os.environ.get("PATH", "")])


def build() -> None:
    path = system_path() or venv_path()
    environment = os.environ | {"PATH": path, "NODE_ENV": "production"}
    npm = shutil.which("npm", path=path) or "npm"
    quiet = ["--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error"]
    subprocess.run([npm, "ci", "--include=dev", *quiet], cwd=SOURCES, env=environment, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([npm, "run", "build", "--silent"], cwd=SOURCES, env=environment, check=True)


def main() -> int:
    wanted = source_hash()
    if is_current(wanted):
        return 0
    print("building the front end …", flush=True)
    STAMP.unlink(missing_ok=True)
    try:
        build()
    except subprocess.CalledProcessError as error:
        print(f"the front end could not be built: {' '.join(map(str, error.cmd))} failed", file=sys.stderr)
        return 1
    STAMP.write_text(f"{wanted}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
