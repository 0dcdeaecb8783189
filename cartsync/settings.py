"""Every setting comes from the environment or from `.env`; docs/deployment.md lists them.

Without DATABASE_URL this is the embedded set-up: SQLite under var/, keys made once, no HTTPS, nothing to
install. With it, it is the real set-up: SECRET_KEY and CREDENTIALS_KEY must be given and HTTPS is on.
"""

import os
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from cartsync.keys import ensure_key_file
from cartsync.unfold import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

env_file = Path(os.environ.get("CARTSYNC_ENV_FILE", BASE_DIR / ".env"))
if env_file.exists():
    env.read_env(env_file)
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)
EMBEDDED = "DATABASE_URL" not in os.environ
if EMBEDDED and "SECRET_KEY" not in os.environ:
    env.read_env(ensure_key_file(VAR_DIR / "secret.env"))

# Safety -------------------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY")
# Fernet keys: the first encrypts, every one decrypts. Put a new key in front to rotate.
CREDENTIALS_KEYS = env.list("CREDENTIALS_KEY")
if not CREDENTIALS_KEYS:
    raise ImproperlyConfigured("CREDENTIALS_KEY is empty: see .env.example for how to make one.")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if EMBEDDED else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=not EMBEDDED)
SECURE_SSL_REDIRECT = HTTPS
# Whoever probes a process asks it directly, not through the proxy that ends TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# Believed only where a proxy really sets it: anyone could send it to a bare server.
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Where shops reach this server from outside, for their webhooks; empty: they are polled only.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "cartsync_session"

# Application --------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "import_export",
    "simple_history",
    "cartsync",
    "backoffice",
    "carts",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cartsync.middleware.log_requests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
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
            ],
        },
    },
]
ROOT_URLCONF = "cartsync.urls"
WSGI_APPLICATION = "cartsync.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Database -----------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'cartsync.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        # A transaction that begins as a reader and then writes fails at once when another wrote meanwhile,
        # whatever the timeout; one that begins as a writer waits its turn.
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Of what is written by hand for speed (cartsync.statements); the ORM's statements are never prepared. Off where a
    # pooler in between hands every transaction to another connection and knows nothing of them.
    if env.bool("PREPARED_STATEMENTS", default=True):
        given = DATABASES["default"].setdefault("OPTIONS", {})
        given["prepare_threshold"] = 0
        given["options"] = f"{given.get('options', '')} -c plan_cache_mode=force_generic_plan".strip()
# Web threads live long: each keeps its connection and looks whether it is still alive. It also spares SQLite
# the checkpoint that closing the last connection costs.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Background work ----------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
TICK_SECONDS = env.float("TICK_SECONDS", default=5.0)
# Longer than any one request and the writing of its page; a killed worker's work is taken over after it.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=120.0)
# The first change of stock goes to the cart at once; those that follow gather for this long.
STOCK_WINDOW_SECONDS = env.float("STOCK_WINDOW_SECONDS", default=0.1)
# That no cart takes stock is believed for so long.
STOCK_SWITCH_SECONDS = env.float("STOCK_SWITCH_SECONDS", default=2.0)
# A lost broker must fail a publish within a second or so: the web request that sends the wake-up goes on.
PUBLISH_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
CELERY_BROKER_URL = REDIS_URL or "inprocess://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 600, "socket_connect_timeout": 2, "socket_timeout": 10, **PUBLISH_RETRY} if REDIS_URL else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY_POLICY = PUBLISH_RETRY
# Acknowledged before the work: what a killed worker leaves is found by the tick, and a message that is still open when
# Redis goes away ends the worker: it is to be given back over a connection that is no more.
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
# The schedule is one entry and its state is in the database, so beat keeps none of its own.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "carts.tasks.tick",
        "schedule": timedelta(seconds=TICK_SECONDS),
        # Ticks sent while no worker listens are worth nothing later: one is enough.
        "options": {"expires": max(10.0, 2 * TICK_SECONDS)},
    },
}

# Language, times, files, mail ---------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The embedded set-up serves the files where they lie; the real one collects them under lasting names.
STATIC_ROOT = None if EMBEDDED else env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
WHITENOISE_USE_FINDERS = EMBEDDED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
EMAIL = env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}" if EMBEDDED else "smtp://localhost:25")
vars().update(EMAIL)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="CartSync <cartsync@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Logs, errors and measuring ------------------------------------------------------------------------

DEFAULT_EXCEPTION_REPORTER = "carts.secrets.RedactingReporter"
# What Prometheus shows to read /metrics; empty: there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "carts.secrets.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        # Every request has its own line already.
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        # INFO would write two lines for each tick.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
