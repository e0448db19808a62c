"""Every setting an installation may choose, with its default and its meaning.

`docs/settings.md` lists the same names; a house test compares the two.
"""

import os
import re
from dataclasses import dataclass
from datetime import timedelta
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
PUBLIC_URL = Setting(
    "SHUREN_PUBLIC_URL",
    "",
    "https://… address of this installation, as apps and other regions know it; empty: that of each request",
)
PRIVATE_TARGETS = Setting(
    "SHUREN_PRIVATE_TARGETS",
    "",
    "networks that are not public in which apps may be called (sign-out notices, keys, webhooks), comma separated",
)
LDAP_CA_FILE = Setting(
    "SHUREN_LDAP_CA_FILE",
    "",
    "PEM file with the authority that LDAP servers are believed by, and StartTLS with it; empty: the system's authorities",
)
CERTIFY_MONTHS = Setting("SHUREN_CERTIFY_MONTHS", "12", "months after which the giver is asked whether a grant is still needed")
PACKS = Setting(
    "SHUREN_PACKS", "", "folder with the region's own packs and its changes to shipped ones; empty: packs in the data folder"
)
REGION_NAME = Setting("SHUREN_REGION_NAME", "树人教育平台", "name shown on every page and report")
SEAL_ALGORITHM = Setting("SHUREN_SEAL_ALGORITHM", "AES-256-GCM", "encrypts what is kept secret: AES-256-GCM or SM4-GCM")
KEY_PASSPHRASE = Setting("SHUREN_KEY_PASSPHRASE", "", "opens key files outside the table; empty means that they are not locked")
PASSKEY_DOMAIN = Setting(
    "SHUREN_PASSKEY_DOMAIN", "", "domain that passkeys are bound to, such as edu.example.cn; empty: the host of the request"
)
PLACES_FILE = Setting(
    "SHUREN_PLACES_FILE", "", "CSV of networks and where they are (network,name,latitude,longitude); empty: none"
)
GATEWAYS_FILE = Setting(
    "SHUREN_GATEWAYS_FILE", "", "TOML file with the gateways for SMS, e-mail, WeCom, DingTalk and WeChat; empty: none"
)
HOLIDAYS_FILE = Setting(
    "SHUREN_HOLIDAYS_FILE", "", "YAML file with the region's own holidays and workdays over the national calendar; empty: none"
)
HSM_MODULE = Setting("SHUREN_HSM_MODULE", "", "library (.so) of the token that holds keys; empty: there is none")
HSM_TOKEN = Setting("SHUREN_HSM_TOKEN", "", "label of the token")
HSM_PIN = Setting("SHUREN_HSM_PIN", "", "user PIN of the token")
LOG_LEVEL = Setting("SHUREN_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR")
WORKERS = Setting("SHUREN_WORKERS", "1", "web processes that serve starts; keep 1 on SQLite")
THREADS = Setting(
    "SHUREN_THREADS",
    "12",
    "threads of one web process: enough that a crowd stands in the queue that tells how long, not before it",
)
CAS_TICKET_SECONDS = Setting("SHUREN_CAS_TICKET_SECONDS", "10", "how long a CAS ticket is good for, 1 to 300 seconds")
EVIDENCE_ORIGIN = Setting(
    "SHUREN_EVIDENCE_ORIGIN", "", "name of the evidence log, without scheme; empty: the first allowed host and /evidence"
)
EVIDENCE_HASH = Setting("SHUREN_EVIDENCE_HASH", "SM3", "hash of a new evidence log, SM3 or SHA-256; never changes afterwards")
EVIDENCE_SIGNATURES = Setting(
    "SHUREN_EVIDENCE_SIGNATURES", "Ed25519", "signatures below every head, comma separated: Ed25519, ES256, SM2"
)
EVIDENCE_WITNESSES = Setting(
    "SHUREN_EVIDENCE_WITNESSES", "", "witnesses asked to cosign every head, comma separated: address, blank, key"
)
EVIDENCE_WITNESSED = Setting(
    "SHUREN_EVIDENCE_WITNESSED", "", "keys of the logs of others whose heads this installation cosigns, comma separated"
)
EVIDENCE_ANCHORS = Setting(
    "SHUREN_EVIDENCE_ANCHORS", "", "where heads are kept elsewhere, comma separated: file:/folder or https://address"
)
LEAVER_DAYS = Setting("SHUREN_LEAVER_DAYS", "30", "days after which the account of somebody who belongs nowhere any more sleeps")
UNUSED_DAYS = Setting("SHUREN_UNUSED_DAYS", "400", "days after which an account nobody used sleeps; 0: never")
APP_NAME_LENGTH = Setting("SHUREN_APP_NAME_LENGTH", "4-8", "fewest and most characters of an app's Chinese name")
APP_CALLS_PER_MINUTE = Setting("SHUREN_APP_CALLS_PER_MINUTE", "600", "calls of the API a new app may make in a minute")
APP_CALLS_PER_DAY = Setting("SHUREN_APP_CALLS_PER_DAY", "200000", "calls of the API a new app may make in a day")
OPENLINEAGE_URL = Setting("SHUREN_OPENLINEAGE_URL", "", "where runs are sent as OpenLineage events; empty sends none")
OPENLINEAGE_TOKEN = Setting("SHUREN_OPENLINEAGE_TOKEN", "", "bearer token that goes with them")
EXCHANGE_DROP = Setting(
    "SHUREN_EXCHANGE_DROP", "", "folder through which people carry letters and packets of the exchange; empty: none"
)
EXCHANGE_MOST_MB = Setting("SHUREN_EXCHANGE_MOST_MB", "1024", "largest packet that is taken from another node, in MB")
APP_NOTICE_DAYS = Setting("SHUREN_APP_NOTICE_DAYS", "30", "days between the notice that an app leaves and its end")
AUDIT_KEPT_DAYS = Setting(
    "SHUREN_AUDIT_KEPT_DAYS",
    "1095",
    "days an audit entry stays searchable, at least 180; then it is archived with its proof",
)
BACKUP_TARGETS = Setting(
    "SHUREN_BACKUP_TARGETS",
    "",
    "where backups are kept, comma separated: /folder or s3://bucket/path?endpoint=https://…&region=…; empty: none are made",
)
BACKUP_PASSPHRASE = Setting("SHUREN_BACKUP_PASSPHRASE", "", "opens the backups, at least 12 characters; without it they are lost")
BACKUP_KEY_FILE = Setting("SHUREN_BACKUP_KEY_FILE", "", "file of at least 32 random bytes that opens the backups instead")
BACKUP_EVERY_HOURS = Setting("SHUREN_BACKUP_EVERY_HOURS", "24", "hours between two backups, 1 to 168")
BACKUP_DRILL_DAYS = Setting("SHUREN_BACKUP_DRILL_DAYS", "30", "days between two restore drills, 1 to 366")
BACKUP_KEEP = Setting("SHUREN_BACKUP_KEEP", "7,5,12", "days, weeks and months back of which one backup each is kept")
BACKUP_SCRATCH = Setting("SHUREN_BACKUP_SCRATCH", "", "folder that backups and drills work in; empty: scratch in the data folder")
BACKUP_SCRATCH_DATABASE = Setting(
    "SHUREN_BACKUP_SCRATCH_DATABASE", "", "postgresql://… of an empty database for drills; empty: drills make and drop their own"
)
LAKE_ENGINE = Setting(
    "SHUREN_LAKE_ENGINE", "duckdb", "answers questions to the lake: duckdb, spark://host:port or local-cluster[workers,cores,MiB]"
)
LAKE_URL = Setting("SHUREN_LAKE_URL", "", "s3://bucket/prefix that holds the lake; empty: the folder lake in the data folder")
LAKE_ENDPOINT = Setting("SHUREN_LAKE_ENDPOINT", "", "https://… of an S3 store other than AWS")
LAKE_KEY = Setting("SHUREN_LAKE_KEY", "", "access key of the store; empty: what the machine is given by its role")
LAKE_SECRET = Setting("SHUREN_LAKE_SECRET", "", "secret key of the store")
LAKE_REGION = Setting("SHUREN_LAKE_REGION", "", "region of the store; empty: us-east-1")
OPEN_K = Setting("SHUREN_OPEN_K", "5", "the fewest people, from 3 to 100, that a group of open data may tell of")
QUARANTINE_DAYS = Setting(
    "SHUREN_QUARANTINE_DAYS", "90", "days, from 7 to 366, that rows set aside by an import wait to be mended"
)

ALL = [value for value in list(globals().values()) if isinstance(value, Setting)]


def data_dir() -> Path:
    return Path(DATA_DIR.value).expanduser().resolve()


def cas_ticket_seconds() -> int:
    """The life of a CAS ticket; the specification recommends seconds, and five minutes at most (3.1.1)."""
    text = CAS_TICKET_SECONDS.value.strip()
    if not text.isdigit() or not 1 <= int(text) <= 300:
        raise ValueError(f"{CAS_TICKET_SECONDS.name}: {text!r}; write a number of seconds from 1 to 300")
    return int(text)


def audit_kept_days() -> int:
    """Days an audit entry stays; the law wants half a year at least (Cybersecurity Law, article 21)."""
    days = int(AUDIT_KEPT_DAYS.value)
    if days < 180:
        raise ValueError(f"{AUDIT_KEPT_DAYS.name}: {days} is too short; write 180 or more")
    return days


def days(setting: Setting) -> timedelta:
    """A setting that counts days, from 0 to ten years."""
    text = setting.value.strip()
    if not text.isdigit() or int(text) > 3_660:
        raise ValueError(f"{setting.name}: {text!r}; write a number of days from 0 to 3660")
    return timedelta(days=int(text))


def evidence_origin() -> str:
    """The log's name: a signed note allows neither blanks nor a plus sign in it."""
    origin = EVIDENCE_ORIGIN.value.strip() or f"{next(iter(ALLOWED_HOSTS.items), 'localhost').strip('.*')}/evidence"
    if not origin or "+" in origin or any(letter.isspace() for letter in origin):
        raise ValueError(f"{EVIDENCE_ORIGIN.name}: {origin!r} is no name for a log; write host/path, without blanks or +")
    return origin


def whole_number(setting: Setting, least: int, most: int) -> int:
    text = setting.value.strip()
    if not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"{setting.name}: {text!r}; write a number from {least} to {most}")
    return int(text)


def trusted_proxies() -> list[str]:
    """The networks of `SHUREN_TRUSTED_PROXIES`; names and `*` are refused, for whoever is believed can be anybody to us."""
    return _networks(TRUSTED_PROXIES)


def private_targets() -> list[str]:
    """The networks of `SHUREN_PRIVATE_TARGETS`."""
    return _networks(PRIVATE_TARGETS)


def _networks(setting: Setting) -> list[str]:
    try:
        return [str(ip_network(item)) for item in setting.items]
    except ValueError as fault:
        raise ValueError(f"{setting.name}: {fault}; write addresses or networks, like 10.0.0.5,10.1.0.0/16") from fault


def lake_engine() -> str:
    """`duckdb`, or the master of a Spark cluster."""
    text = LAKE_ENGINE.value.strip()
    if not re.fullmatch(r"duckdb|spark://[\w.:,-]+|local-cluster\[\d+,\d+,\d+\]|local\[[\d*]+\]", text):
        raise ValueError(f"{LAKE_ENGINE.name}: {text!r}; write duckdb, spark://host:port or local-cluster[2,1,1024]")
    return text


def lake_url() -> str:
    text = LAKE_URL.value.strip()
    if text and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[\w./-]*)?", text):
        raise ValueError(f"{LAKE_URL.name}: {text!r}; write s3://bucket/prefix")
    return text
