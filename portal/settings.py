"""Every setting, read from the environment here and nowhere else. `.env.example` lists the names with a comment each.

A value that is missing or wrong stops the process with one sentence that names it.
"""

import json
import re
import sys
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ

from portal.environment import (
    BASE_DIR as BASE_DIR,
)
from portal.environment import (
    address,
    checked,
    connection_options,
    days,
    env,
    fernet_keys,
    is_here,
    origin,
    private_key,
    readable_file,
    required,
    seconds,
    stop,
    switch,
)

# --- What kind of process this is
DEBUG = switch("DEBUG", default=False)
DEMO = switch("PORTAL_DEMO", default=False)
TESTING = switch("PORTAL_TESTING", default=False)
HTTPS = switch("PORTAL_HTTPS", default=True)
BEHIND_PROXY = switch("BEHIND_PROXY", default=False)
RELEASE = env.str("PORTAL_RELEASE", default="dev")
PRODUCTION = not (DEBUG or DEMO or TESTING)
FAILPOINTS = env.str("FAILPOINTS", default="") if TESTING else ""  # integrations.failpoints

SITE_URL = address("SITE_URL", required("SITE_URL"), "https", "http")
if PRODUCTION and not (HTTPS and SITE_URL.startswith("https://")):
    stop("SITE_URL must begin with https:// and PORTAL_HTTPS must be on in production.")
if not PRODUCTION and not is_here(SITE_URL):
    stop("DEBUG, PORTAL_DEMO and PORTAL_TESTING are for this machine only: SITE_URL must name localhost then.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname or ""])
if PRODUCTION and any(host.startswith(("*", ".")) for host in ALLOWED_HOSTS):
    stop("ALLOWED_HOSTS must name each host in full in production.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

SECRET_KEY = required("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
if PRODUCTION and (len(SECRET_KEY) < 50 or SECRET_KEY.startswith("change-me")):
    stop("SECRET_KEY must be a random text of at least 50 characters in production.")
FIELD_ENCRYPTION_KEYS = fernet_keys("FIELD_ENCRYPTION_KEYS")

# --- The company
BRAND_NAME = env.str("BRAND_NAME", default="Sonix")
ORDER_NUMBER_PREFIX = checked(
    "ORDER_NUMBER_PREFIX",
    env.str,
    "SX",
    "must be 2 or 3 capital letters, A to Z.",
    lambda prefix: re.fullmatch("[A-Z]{2,3}", prefix) is not None,
)
TERMS_VERSION = env.str("TERMS_VERSION", default="2026-10-01")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="support@example.jp")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{BRAND_NAME} <no-reply@example.jp>")

# --- Applications
INSTALLED_APPS = [
    "portal",
    "accounts",
    "catalog",
    "orders",
    "provisioning",
    "journal",
    "subscriptions",
    "support",
    "notifications",
    "audit",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_rq",
    "csp",
]
MIDDLEWARE = [
    "portal.middleware.correlation",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.known_methods",
    "portal.middleware.private_pages",
    "portal.middleware.no_null_characters",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.session_limits",
    "accounts.middleware.staff_second_factor",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
FORM_RENDERER = "portal.forms.Renderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.shell",
            ],
            "builtins": [
                "portal.templatetags.ui",
                "portal.templatetags.kept",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
        },
    }
]

# --- Storage. The web keeps a pool; workers and the subscriber keep one connection each (decisions.md 32).
POOL = switch("DB_POOL", default=False)
try:
    DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url_config(required("DATABASE_URL"))}
except (ValueError, environ.ImproperlyConfigured) as error:
    stop(f"DATABASE_URL cannot be read: {error}")
if DATABASES["default"].get("ENGINE") != "django.db.backends.postgresql":
    stop("DATABASE_URL must name a PostgreSQL database (postgresql://…).")
DATABASES["default"] |= {
    "CONN_MAX_AGE": 0 if POOL else None,
    "CONN_HEALTH_CHECKS": not POOL,
    "OPTIONS": connection_options(DATABASES["default"].get("OPTIONS", {}))
    | ({"pool": {"min_size": 1, "max_size": 16}} if POOL else {}),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = required("REDIS_URL")
if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    stop("REDIS_URL must begin with redis://, rediss:// or unix://.")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        # Limits on signing in live here: nobody may push them out by filling it. Housekeeping deletes what expired.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
    # What WHMCS says of cards is stored nowhere: it stays for seconds in the memory of the process that asked.
    "cards": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "cards"},
}

QUEUES = ("provisioning", "cases", "emails", "housekeeping")
JOB_TIMEOUT_S = 600
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": JOB_TIMEOUT_S, "SERIALIZER": "rq.serializers.JSONSerializer"}
    for name in QUEUES
}

# --- Signing in
from portal.sign_in_settings import *  # noqa: E402, F403

ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)  # limits count the visitor's address, not the proxy's
MFA_TOTP_ISSUER = BRAND_NAME

# --- The shop
# --- Identity papers
from portal.identity_settings import *  # noqa: E402, F403
from portal.shop_settings import *  # noqa: E402, F403

# --- Browser
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # a cookie would carry the words themselves
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SESSION_COOKIE_AGE = 30 * 24 * 3600  # the most; accounts.security.sessions ends those that lie idle
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "portal.debugging.Masking"
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["accounts.identity.uploading.InMemory"]  # nothing that was sent is ever written to a disk
WHMCS_API_URL = address("WHMCS_API_URL", required("WHMCS_API_URL"), "https")
WHMCS_SSO_ORIGINS = [
    address("WHMCS_SSO_ORIGINS", each, "https" if PRODUCTION else "http", "https")
    for each in env.list("WHMCS_SSO_ORIGINS", default=[]) or [origin(WHMCS_API_URL)]
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'", *WHMCS_SSO_ORIGINS],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None  # elsewhere files are served from where they lie
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if not PRODUCTION
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

# --- Language and time: every business date is Japan's (decisions.md 33)
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "Asia/Tokyo"

# --- E-mail
EMAIL_URL = env.str("EMAIL_URL", default="consolemail://")
try:
    vars().update(env.email_url_config(EMAIL_URL))
except environ.ImproperlyConfigured:
    stop("EMAIL_URL must begin with smtp://, smtp+tls://, smtp+ssl:// or consolemail://.")
EMAIL_TIMEOUT = 15
MAILS_KEEP_DAYS = days("MAILS_KEEP_DAYS", 30)  # how long a mail is kept that belongs to no user
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
if env.str("SENDGRID_API_KEY", default=""):
    EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
    ANYMAIL = {"SENDGRID_API_KEY": env.str("SENDGRID_API_KEY")}

# --- Salesforce (architecture.md §6, decisions.md 32)
SF_API_VERSION = env.str("SF_API_VERSION", default="66.0")
SF_LOGIN_URL = address("SF_LOGIN_URL", env.str("SF_LOGIN_URL", default="https://login.salesforce.com"), "https")
SF_TOKEN_URL = address(
    "SF_TOKEN_URL", env.str("SF_TOKEN_URL", default=f"{SF_LOGIN_URL}/services/oauth2/token"), "https"
)
_login_host = urlsplit(SF_LOGIN_URL).hostname or ""
_is_test_org = _login_host.startswith("test.") or ".sandbox." in _login_host
SF_AUDIENCE = env.str("SF_AUDIENCE", default=f"https://{'test' if _is_test_org else 'login'}.salesforce.com")
SF_INSTANCE_HOSTS = env.list("SF_INSTANCE_HOSTS", default=["*.salesforce.com", "*.my.salesforce.com"])
SF_LIGHTNING_URL = env.str("SF_LIGHTNING_URL", default="").rstrip("/")  # for staff's links; empty: none
SF_CLIENT_ID = required("SF_CLIENT_ID")
SF_USERNAME = required("SF_USERNAME")
SF_CA_BUNDLE = readable_file("SF_CA_BUNDLE")
SF_PUBSUB_ENDPOINT = env.str("SF_PUBSUB_ENDPOINT", default="api.pubsub.salesforce.com:7443")
SF_EVENTS_ENABLED = switch("SF_EVENTS_ENABLED", default=True)
SF_PROVISION_EVENT_CHANNEL = env.str("SF_PROVISION_EVENT_CHANNEL", default="/event/OrderProvisionRequested__e")
SF_EVENTS_REPLAY = checked(
    "SF_EVENTS_REPLAY", env.str, "LATEST", "must be LATEST or ALL.", lambda v: v in {"LATEST", "ALL"}
)
PORTAL_PRICEBOOK_NAME = env.str("PORTAL_PRICEBOOK_NAME", default="Portal")
SF_FIELD_OPP_COMMODITY_TYPE = env.str("SF_FIELD_OPP_COMMODITY_TYPE", default="CommodityType__c")
SF_ACCOUNT_NO_SOURCE = checked(
    "SF_ACCOUNT_NO_SOURCE",
    env.str,
    "salesforce",
    "must be salesforce or portal.",
    lambda v: v in {"salesforce", "portal"},
)
SF_PRIVATE_KEY = private_key(private_file=PRODUCTION)

# --- WHMCS
WHMCS_API_IDENTIFIER = required("WHMCS_API_IDENTIFIER")
WHMCS_API_SECRET = required("WHMCS_API_SECRET")
WHMCS_ADMIN_URL = env.str("WHMCS_ADMIN_URL", default="").rstrip("/")  # for staff's links; empty: none
WHMCS_CA_BUNDLE = readable_file("WHMCS_CA_BUNDLE")
WHMCS_PAYMENT_METHOD = required("WHMCS_PAYMENT_METHOD")
WHMCS_CURRENCY_ID = checked("WHMCS_CURRENCY_ID", env.int, default=1)
WHMCS_CUSTOMER_NUMBER_FIELD_ID = checked(
    "WHMCS_CUSTOMER_NUMBER_FIELD_ID", env.int, 0, "is missing. Set it to the id of the client custom field."
)
WHMCS_SSO_DESTINATION = env.str("WHMCS_SSO_DESTINATION", default="clientarea:billing_info")
WHMCS_TIME_ZONE = checked(
    "WHMCS_TIME_ZONE", env.str, "Asia/Tokyo", "must be a name such as Asia/Tokyo.", lambda v: v in available_timezones()
)
WHMCS_MARK_FIELD_NAME = env.str("WHMCS_MARK_FIELD_NAME", default="Salesforce Order Id")
WHMCS_MARK_CARRIER = checked(
    "WHMCS_MARK_CARRIER", env.str, "field", "must be field or notes.", lambda v: v in {"field", "notes"}
)
try:
    WHMCS_MARK_FIELDS = {int(pid): int(field) for pid, field in json.loads(env.str("WHMCS_MARK_FIELDS", "{}")).items()}
except (ValueError, AttributeError, TypeError):
    stop('WHMCS_MARK_FIELDS must be a JSON object of product id to field id, such as {"101": 901}.')

# --- eSIM provider; without one, orders of eSIMs fail with a sentence
ESIM_API_URL = env.str("ESIM_API_URL", default="")
ESIM_API_KEY = ""
if ESIM_API_URL:
    ESIM_API_URL, ESIM_API_KEY = address("ESIM_API_URL", ESIM_API_URL, "https"), required("ESIM_API_KEY")
ESIM_CA_BUNDLE = readable_file("ESIM_CA_BUNDLE")

# Built by portal/clients.py; the apps ask integrations.gateway for them and know no settings of the outside systems.
INTEGRATION_FACTORIES = {
    "salesforce": "portal.clients.salesforce",
    "event_stream": "portal.clients.event_stream",
    "whmcs": "portal.clients.whmcs",
    "esim": "portal.clients.esim",
}

# --- Provisioning times in seconds (decisions.md 26)
LEASE_S = seconds("LEASE_S", 90)
SWEEP_S = seconds("SWEEP_S", 30)
QUARANTINE_S = seconds("QUARANTINE_S", 900)
DEADLINE_MARGIN_S = seconds("DEADLINE_MARGIN_S", 30)
READ_DEADLINE_S = seconds("READ_DEADLINE_S", 15)
PAGE_DEADLINE_S = seconds("PAGE_DEADLINE_S", 4)  # what a page waits for others before it says that they do not answer
ADD_ORDER_DEADLINE_S = seconds("ADD_ORDER_DEADLINE_S", 30)
ACCEPT_ORDER_DEADLINE_S = seconds("ACCEPT_ORDER_DEADLINE_S", 120)
ESIM_DEADLINE_S = seconds("ESIM_DEADLINE_S", 60)
ESIM_GIVE_UP_S = seconds("ESIM_GIVE_UP_S", 86400)
COMMIT_RETRY_S = seconds("COMMIT_RETRY_S", 60)
STREAM_SILENCE_S = seconds("STREAM_SILENCE_S", 300)
STREAM_PING_S = seconds("STREAM_PING_S", 60)
LEADER_WAIT_S = seconds("LEADER_WAIT_S", 10)
WATCHED_REFRESH_S = seconds("WATCHED_REFRESH_S", 20)
REFRESH_S = seconds("REFRESH_S", 300)
ACCOUNT_REFRESH_S = seconds("ACCOUNT_REFRESH_S", 120)
HEALTH_TOKEN = env.str("HEALTH_TOKEN", default="")

LOGGING_CONFIG = "portal.logging.configure"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_LEVEL = checked("LOG_LEVEL", env.str, "INFO", f"must be one of {', '.join(LOG_LEVELS)}.", lambda v: v in LOG_LEVELS)
LOGGING = {"level": LOG_LEVEL}  # Django calls LOGGING_CONFIG only with something to give
LOG_JSON = switch("LOG_JSON", default=not (DEBUG or sys.stderr.isatty()))
