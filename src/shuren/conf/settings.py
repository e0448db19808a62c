"""Django settings; what may be chosen stands in `environment.py`."""

import warnings
from pathlib import Path

import dj_database_url

from shuren.conf import environment as env
from shuren.conf.keys import read_or_make

# pysaml2 names a cipher that is about to move; nobody who runs a command can do anything about it.
warnings.filterwarnings("ignore", message="CFB has been moved", module="saml2")

PACKAGE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.data_dir()

DEBUG = env.DEBUG.is_on
SECRET_KEY = env.SECRET_KEY.value or read_or_make(DATA_DIR / "keys" / "session.key")
# Public ids are a keyed permutation of row ids: this key outlives every session key, or links would break.
SHUREN_IDS_KEY = read_or_make(DATA_DIR / "keys" / "ids.key")
# Made on first use. Without this file nothing that was sealed (national ids) can be read again: back it up apart.
SHUREN_SEAL_KEY_FILE = DATA_DIR / "keys" / "seal.key"
# Where releases before kept the key that signs for SAML services: it is taken over into the named keys of `trust`.
SHUREN_SAML_KEY_FILE = DATA_DIR / "keys" / "saml.key"
SHUREN_LEAVER_GRACE = env.days(env.LEAVER_DAYS)
SHUREN_UNUSED_AFTER = env.days(env.UNUSED_DAYS) or None
SHUREN_CAS_TICKET_SECONDS = env.cas_ticket_seconds()
# Tiles of the evidence log, as static files.
SHUREN_EVIDENCE_DIR = DATA_DIR / "evidence"
SHUREN_AUDIT_KEPT_DAYS = env.audit_kept_days()
SHUREN_AUDIT_ARCHIVE = DATA_DIR / "archive" / "audit"
SHUREN_EVIDENCE_ORIGIN = env.evidence_origin()
SHUREN_EVIDENCE_WITNESS_NAME = f"{SHUREN_EVIDENCE_ORIGIN}/witness"
SHUREN_EVIDENCE_SIGNATURES = env.EVIDENCE_SIGNATURES.items
SHUREN_EVIDENCE_HASH = env.EVIDENCE_HASH.value
SHUREN_EVIDENCE_WITNESSES = env.EVIDENCE_WITNESSES.items
SHUREN_EVIDENCE_WITNESSED = env.EVIDENCE_WITNESSED.items
SHUREN_EVIDENCE_ANCHORS = env.EVIDENCE_ANCHORS.items
SHUREN_SEAL_ALGORITHM = env.SEAL_ALGORITHM.value
SHUREN_BACKUP_TARGETS = env.BACKUP_TARGETS.items
SHUREN_BACKUP_PASSPHRASE = env.BACKUP_PASSPHRASE.value
SHUREN_BACKUP_KEY_FILE = env.BACKUP_KEY_FILE.value
SHUREN_BACKUP_EVERY_HOURS = env.whole_number(env.BACKUP_EVERY_HOURS, 1, 168)
SHUREN_BACKUP_DRILL_DAYS = env.whole_number(env.BACKUP_DRILL_DAYS, 1, 366)
SHUREN_BACKUP_KEEP = env.BACKUP_KEEP.value
SHUREN_BACKUP_SCRATCH = Path(env.BACKUP_SCRATCH.value) if env.BACKUP_SCRATCH.value else DATA_DIR / "scratch"
SHUREN_BACKUP_SCRATCH_DATABASE = env.BACKUP_SCRATCH_DATABASE.value
SHUREN_LAKE_ENGINE = env.lake_engine()
SHUREN_LAKE_URL = env.lake_url()
SHUREN_LAKE_ENDPOINT = env.LAKE_ENDPOINT.value.strip()
SHUREN_LAKE_KEY = env.LAKE_KEY.value
SHUREN_LAKE_SECRET = env.LAKE_SECRET.value
SHUREN_LAKE_REGION = env.LAKE_REGION.value.strip()
SHUREN_OPEN_K = env.whole_number(env.OPEN_K, 3, 100)
SHUREN_QUARANTINE_DAYS = env.whole_number(env.QUARANTINE_DAYS, 7, 366)
SHUREN_HSM_MODULE = env.HSM_MODULE.value
SHUREN_HSM_TOKEN = env.HSM_TOKEN.value
SHUREN_HSM_PIN = env.HSM_PIN.value
SHUREN_KEY_PASSPHRASE = env.KEY_PASSPHRASE.value
SHUREN_PASSKEY_DOMAIN = env.PASSKEY_DOMAIN.value
SHUREN_GATEWAYS_FILE = env.GATEWAYS_FILE.value
SHUREN_PLACES_FILE = env.PLACES_FILE.value
SHUREN_HOLIDAYS_FILE = env.HOLIDAYS_FILE.value
CERTIFY_MONTHS = int(env.CERTIFY_MONTHS.value)
# Shipped packs lie inside an installed package, or in the source tree; the region's own lie apart and survive upgrades.
_PACKAGED_PACKS = PACKAGE_DIR / "casework" / "packs"
SHUREN_PACKS_SHIPPED = _PACKAGED_PACKS if _PACKAGED_PACKS.exists() else PACKAGE_DIR.parents[1] / "packs"
SHUREN_PACKS = Path(env.PACKS.value) if env.PACKS.value else DATA_DIR / "packs"
SHUREN_REGION_NAME = env.REGION_NAME.value
SHUREN_APP_NAME_LENGTH = env.APP_NAME_LENGTH.value
SHUREN_APP_CALLS_PER_MINUTE = int(env.APP_CALLS_PER_MINUTE.value)
SHUREN_APP_CALLS_PER_DAY = int(env.APP_CALLS_PER_DAY.value)
SHUREN_OPENLINEAGE_URL = env.OPENLINEAGE_URL.value
SHUREN_OPENLINEAGE_TOKEN = env.OPENLINEAGE_TOKEN.value
SHUREN_EXCHANGE_DROP = env.EXCHANGE_DROP.value
SHUREN_EXCHANGE_MOST_MB = int(env.EXCHANGE_MOST_MB.value)
SHUREN_APP_NOTICE_DAYS = int(env.APP_NOTICE_DAYS.value)
ALLOWED_HOSTS = env.ALLOWED_HOSTS.items
CSRF_TRUSTED_ORIGINS = env.TRUSTED_ORIGINS.items
SHUREN_LDAP_CA_FILE = env.LDAP_CA_FILE.value
SHUREN_PUBLIC_URL = env.PUBLIC_URL.value.rstrip("/")
SHUREN_PRIVATE_TARGETS = env.private_targets()
SHUREN_TRUSTED_PROXIES = env.trusted_proxies()

SHUREN_APPS = [
    "front",
    "interop",
    "evaluation",
    "assessment",
    "certificates",
    "backups",
    "casework",
    "records",
    "datahub",
    "identity",
    "directory",
    "intake",
    "pages",
    "search",
    "messaging",
    "standards",
    "trust",
    "work",
    "kernel",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "ninja",
    *(f"shuren.{app}" for app in SHUREN_APPS),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "shuren.front.middleware.ReadingMiddleware",
    "shuren.identity.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "shuren.front.middleware.PolicyMiddleware",
    "shuren.front.middleware.AppMiddleware",
]
ROOT_URLCONF = "shuren.front.urls"
WSGI_APPLICATION = "shuren.conf.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "shuren.front.context.portal",
            ]
        },
    }
]

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 60,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456; PRAGMA cache_size=-65536; PRAGMA journal_size_limit=67108864;"
    ),
}
if env.DATABASE_URL.value:
    DATABASES = {"default": dj_database_url.parse(env.DATABASE_URL.value, conn_max_age=600, conn_health_checks=True)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA_DIR / "shuren.sqlite3"),
            "OPTIONS": SQLITE_OPTIONS,
            "CONN_MAX_AGE": None,
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The register of apps stands above identity, which asks it here whether an app may be used.
SHUREN_APP_GATE = "shuren.interop.api.admit_app"
AUTH_USER_MODEL = "identity.Account"
AUTHENTICATION_BACKENDS = ["shuren.identity.backends.AccountBackend"]
PASSWORD_HASHERS = ["shuren.identity.hashers.Argon2idHasher"]
LOGIN_URL = "identity:sign_in"
LOGIN_REDIRECT_URL = "front:home"
SESSION_ENGINE = "shuren.identity.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "shuren_session"
CSRF_COOKIE_NAME = "shuren_csrf"
CSRF_FAILURE_VIEW = "shuren.front.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = env.HTTPS.is_on
SECURE_HSTS_SECONDS = 31_536_000 if env.HTTPS.is_on else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.HTTPS.is_on
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.HTTPS.is_on else None
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "shuren_language"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "shuren.conf.formats"
LOCALE_PATHS: list[str] = []

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
MEDIA_ROOT = DATA_DIR / "files"
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.LOG_LEVEL.value},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},
        # At INFO it writes down what services are told about people.
        "saml2": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "xmlschema": {"level": "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
