"""Every setting an installation may choose, with its default and its meaning.

`docs/settings.md` lists the same names; a house test compares the two.
"""

import os
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, the default as text, and what it does."""

    name: str
    default: str
    meaning: str

    @property
    def value(self) -> str:
        return os.environ.get(self.name, self.default)

    @property
    def is_on(self) -> bool:
        return self.value.strip().lower() in {"1", "true", "yes", "on"}

    @property
    def items(self) -> list[str]:
        return [item.strip() for item in self.value.split(",") if item.strip()]


DATA_DIR = Setting("SHUREN_DATA_DIR", "var", "folder that holds the database, the lake, uploads and keys")
DATABASE_URL = Setting("SHUREN_DATABASE_URL", "", "postgresql://… ; empty means SQLite inside the data folder")
SECRET_KEY = Setting("SHUREN_SECRET_KEY", "", "signs sessions; empty means a key kept in the data folder")
DEBUG = Setting("SHUREN_DEBUG", "0", "1 shows tracebacks in the browser; never in production")
ALLOWED_HOSTS = Setting("SHUREN_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "host names the site answers to, comma separated")
TRUSTED_ORIGINS = Setting("SHUREN_TRUSTED_ORIGINS", "", "https://… origins accepted for forms behind a proxy, comma separated")
HTTPS = Setting("SHUREN_HTTPS", "0", "1 when a proxy serves HTTPS: secure cookies, HSTS, forwarded scheme")
TRUSTED_PROXIES = Setting(
    "SHUREN_TRUSTED_PROXIES",
    "127.0.0.1,::1",
    "addresses or networks whose X-Forwarded-For is believed, comma separated; nothing: nobody's",
)
REGION_NAME = Setting("SHUREN_REGION_NAME", "树人教育平台", "name shown on every page and report")
LOG_LEVEL = Setting("SHUREN_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR")
WORKERS = Setting("SHUREN_WORKERS", "1", "web processes that serve starts; keep 1 on SQLite")
THREADS = Setting("SHUREN_THREADS", "4", "threads of one web process")

ALL = [value for value in list(globals().values()) if isinstance(value, Setting)]


def data_dir() -> Path:
    return Path(DATA_DIR.value).expanduser().resolve()


def trusted_proxies() -> list[str]:
    """The networks of `SHUREN_TRUSTED_PROXIES`; names and `*` are refused, for whoever is believed can be anybody to us."""
    try:
        return [str(ip_network(item)) for item in TRUSTED_PROXIES.items]
    except ValueError as fault:
        raise ValueError(f"{TRUSTED_PROXIES.name}: {fault}; write addresses or networks, like 10.0.0.5,10.1.0.0/16") from fault
