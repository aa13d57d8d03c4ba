"""Settings that every installation shares; the environment decides the rest, through env.py."""

import sqlite3
from pathlib import Path
from typing import Any

import dj_database_url

from tradeswim import env
from tradeswim.settings.alerts import *
from tradeswim.settings.web import *

BASE_DIR = Path(__file__).resolve().parents[2]
HOME = env.home()
ENVIRONMENT = env.text("TRADESWIM_ENVIRONMENT", "PAPER", among=("PAPER", "LIVE"))
# Which machine this is, where its own name changes with every start (containers).
HOST_NAME = env.text("TRADESWIM_HOST_NAME", "")
DEBUG = False
IS_TEST = IS_PRODUCTION = False
ALLOWED_HOSTS = env.names("TRADESWIM_HOSTS", "127.0.0.1,localhost")
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False
ROOT_URLCONF = "tradeswim.urls"
ASGI_APPLICATION = "tradeswim.asgi.application"
WSGI_APPLICATION = "tradeswim.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "sign-in"
# A second factor beside the password (docs/signing-in.md): everybody must have one, or may.
FACTOR_RULES = ("required", "optional")
SECOND_FACTOR = env.text("TRADESWIM_SECOND_FACTOR", "optional", among=FACTOR_RULES)
# The domain passkeys are made for; empty for the host itself. It never changes afterwards: keys of
# another domain are lost.
PASSKEY_DOMAIN = env.domain("TRADESWIM_RP_ID", "")
# Where the administration is; nowhere if empty.
ADMIN_PATH = env.path("TRADESWIM_ADMIN_PATH", "admin")

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # what is in it, accounts/admin says
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_celery_beat",
    "tradeswim",
    "orders",
    "accounts",
    "brokerage",
    "strategies",
]

MIDDLEWARE = [
    "tradeswim.probes.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tradeswim.csp.content_security_policy",
    "tradeswim.cors.open_to_one_origin",
    "tradeswim.foreign.refuse_foreign",
    "accounts.middleware.request_context",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "tradeswim.second_factor.lead_to_second_factor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tradeswim.context.environment",
            ]
        },
    }
]

STATIC_URL = "static/"
# With the code where it is installed, so that a rollback takes the files of its pages along.
STATIC_ROOT = Path(env.text("TRADESWIM_STATIC_ROOT", str(HOME / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "tradeswim.static.HashedStatic"},
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# --- database -------------------------------------------------------------------------------------
# WAL corrupts in SQLite before 3.51.3 when several connections write; FULL, because a claim must
# be on the disk before its order is on the wire.
SQLITE_JOURNAL_MODE = "WAL" if sqlite3.sqlite_version_info >= (3, 51, 3) else "TRUNCATE"
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        f"PRAGMA journal_mode={SQLITE_JOURNAL_MODE}; PRAGMA synchronous=FULL; "
        "PRAGMA foreign_keys=ON; PRAGMA busy_timeout=20000;"
    ),
}
POSTGRESQL_OPTIONS = {
    "options": (
        "-c synchronous_commit=on -c idle_in_transaction_session_timeout=15s "
        "-c lock_timeout=3s -c statement_timeout=10s"
    )
}


def database(address: str) -> dict[str, Any]:
    """Return Django's description of a database, with the options that keep orders safe."""
    try:
        described: dict[str, Any] = dict(dj_database_url.parse(address))
    except ValueError:
        raise env.BadSetting(
            "DATABASE_URL is not the address of a database. Write it as sqlite:////folder/file or "
            "postgres://user:password@host:port/name, special characters percent-encoded."
        ) from None
    described["CONN_MAX_AGE"] = env.integer("TRADESWIM_CONN_MAX_AGE", 600, low=0, high=3600)
    if described["ENGINE"].endswith("sqlite3"):
        described["OPTIONS"] = dict(SQLITE_OPTIONS)
    elif described["ENGINE"].endswith("postgresql"):
        described["OPTIONS"] = {**described.get("OPTIONS", {}), **POSTGRESQL_OPTIONS}
        described["CONN_HEALTH_CHECKS"] = True
    else:
        raise env.BadSetting("DATABASE_URL must begin with sqlite:// or postgres://.")
    return described


DATABASES = {"default": database(env.secret("DATABASE_URL", f"sqlite:///{HOME}/db.sqlite3"))}

# --- Redis, Celery --------------------------------------------------------------------------------
REDIS_SCHEMES = ("redis", "rediss", "unix")
REDIS_URL = env.url(
    "REDIS_URL",
    env.secret("REDIS_URL", env.found("REDIS_URL", "redis://127.0.0.1:6379/0")),
    schemes=REDIS_SCHEMES,
)
CACHE_URL = env.url("CACHE_URL", env.secret("CACHE_URL", REDIS_URL), schemes=REDIS_SCHEMES)

# --- the broker -----------------------------------------------------------------------------------
PAPER_PORT = env.whole("PAPER_PORT", env.found("PAPER_PORT", "8182"), low=1, high=65534)
_OUR_PAPER = f"https://127.0.0.1:{PAPER_PORT + 1}"
IS_PAPER = ENVIRONMENT == "PAPER"
WEBHOOKS_TO = webhooks_to(is_paper=IS_PAPER)
BROKER_URL = env.url(
    "TRADESWIM_BROKER_URL",
    env.text("TRADESWIM_BROKER_URL", _OUR_PAPER if IS_PAPER else "https://api.schwabapi.com"),
    schemes=("https",),
)
BROKER_CA_FILE = (
    env.text("TRADESWIM_BROKER_CA_FILE", str(HOME / "paper-tls" / "ca.pem")) if IS_PAPER else None
)
PAPER_URL = f"http://127.0.0.1:{PAPER_PORT}"
# Where a person's browser signs in; the paper broker's own certificate is for us only.
AUTHORIZE_URL = PAPER_URL if IS_PAPER else BROKER_URL
# Where the broker sends a browser back to, beside what each login's app has registered.
WEB_URL = env.url(
    "TRADESWIM_WEB_URL",
    env.text("TRADESWIM_WEB_URL", f"http://127.0.0.1:{env.text('PORT', '8000')}"),
    schemes=("http", "https"),
)
OAUTH_CALLBACK_URL = f"{WEB_URL}/oauth/callback/"
# Proof key for code exchange: nobody outside knows whether Schwab takes it.
OAUTH_PKCE = env.flag("TRADESWIM_OAUTH_PKCE", default=IS_PAPER)
# For each exchange, its answer's body included; the lease of a claim must be longer.
BROKER_TIMEOUT_S = float(env.integer("TRADESWIM_BROKER_TIMEOUT_S", 10, low=1, high=30))
KEY_FILE = Path(env.text("TRADESWIM_KEY_FILE", str(HOME / "keys.json")))
# Backups are sealed with a key of their own, which is kept apart from them (docs/backup.md).
BACKUP_FOLDER = Path(env.text("TRADESWIM_BACKUP_FOLDER", str(HOME / "backups")))
BACKUP_KEY_FILE = Path(env.text("TRADESWIM_BACKUP_KEY_FILE", str(HOME / "backup.key")))

# --- signing in by a browser of our own (docs/logins.md) ------------------------------------------
# The browser's program; `playwright` takes the one that `playwright install chromium` fetched.
BROWSER = env.text("TRADESWIM_BROWSER", "/usr/bin/chromium")
# Show a window, under Xvfb say; a browser without a screen is refused by some sites.
BROWSER_IS_HEADED = env.flag("TRADESWIM_BROWSER_HEADED", default=False)
BROWSER_HOST = "127.0.0.1" if IS_PAPER else "schwab.com"
BROWSER_TIMEOUT_S = env.integer("TRADESWIM_BROWSER_TIMEOUT_S", 180, low=20, high=600)
BROWSER_MEMORY_MB = env.integer("TRADESWIM_BROWSER_MEMORY_MB", 1500, low=300, high=8000)

# --- numbers of an order's life (docs/architecture.md) --------------------------------------------
READY_DEADLINE_S = env.integer("TRADESWIM_READY_DEADLINE_S", 10, low=1, high=60)
READY_DEADLINE_MARKET_S = 5
READY_DEADLINE_CLOSE_S = 60
CLAIM_LEASE_S = env.integer("TRADESWIM_CLAIM_LEASE_S", 15, low=2, high=60)
# From the claim on: an order that no complete list shows after it is proved absent.
QUIET_PERIOD_S = env.integer("TRADESWIM_QUIET_PERIOD_S", 60, low=1, high=3600)
ABSENCE_READS = env.integer("TRADESWIM_ABSENCE_READS", 3, low=2, high=20)
RECONCILE_EVERY_S = 5
UNKNOWN_ALARM_S = env.integer("TRADESWIM_UNKNOWN_ALARM_S", 120, low=1, high=3600)
CHUNK_ACCOUNTS = 1000
# How many placement workers share the chunks, on all hosts together.
PLACEMENT_WORKERS = env.integer("PLACEMENT_WORKERS", 1, low=1, high=64)
RING_AGAIN_AFTER_S = 2
# Whether a process listens to the broker's streams.
HAS_STREAMS = env.flag("TRADESWIM_STREAMS", default=True)
# A stream of which nothing was heard for so long, not even a heartbeat, is begun anew.
STREAM_SILENCE_S = env.integer("TRADESWIM_STREAM_SILENCE_S", 20, low=1, high=600)
# A cancel is sent again so long after the last one, until the broker shows that the order ended.
CANCEL_AGAIN_S = env.integer("TRADESWIM_CANCEL_AGAIN_S", 5, low=1, high=60)

# --- reading the broker (docs/sync.md) ------------------------------------------------------------
# Of one app key, in any 60 seconds; the reserve is for orders of unknown outcome and for exits.
BUDGET_PER_MINUTE = env.integer("TRADESWIM_BUDGET_PER_MINUTE", 120, low=12, high=6000)
BUDGET_RESERVE = env.integer("TRADESWIM_BUDGET_RESERVE", 20, low=1, high=1000)
ORDER_WRITES_PER_MINUTE = env.integer("TRADESWIM_ORDER_WRITES_PER_MINUTE", 120, low=1, high=1000)
# How often a login with a working order is read; while its stream is heard; outside market hours.
POLL_EVERY_S = 5
POLL_STREAMED_S = env.integer("TRADESWIM_POLL_STREAMED_S", 30, low=5, high=300)
POLL_CLOSED_S = env.integer("TRADESWIM_POLL_CLOSED_S", 60, low=5, high=3600)
BALANCES_EVERY_S = 15
BALANCES_CLOSED_S = env.integer("TRADESWIM_BALANCES_CLOSED_S", 120, low=15, high=3600)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "tradeswim.logs.Indented",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "json": {"()": "tradeswim.logs.JsonLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.text("TRADESWIM_LOG", "line", among=("line", "json")),
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django.request": {"level": "ERROR"}},
}
