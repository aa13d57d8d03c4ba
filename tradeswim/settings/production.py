"""A real host: TLS in front, secrets from the environment, nothing made up."""

from tradeswim import env
from tradeswim.settings.base import *

IS_PRODUCTION = True
SECRET_KEY = env.secret_key(may_create=False)
if len(SECRET_KEY) < 50:
    raise env.BadSetting("TRADESWIM_SECRET_KEY is shorter than 50 characters.")
ALLOWED_HOSTS = env.names("TRADESWIM_HOSTS", "")
if not ALLOWED_HOSTS:
    raise env.BadSetting("TRADESWIM_HOSTS is not set. Name the hosts, separated by commas.")

SECOND_FACTOR = env.text("TRADESWIM_SECOND_FACTOR", "required", among=FACTOR_RULES)
ADMIN_PATH = env.path("TRADESWIM_ADMIN_PATH", "")
if ADMIN_PATH.startswith("admin/"):
    raise env.BadSetting("TRADESWIM_ADMIN_PATH is admin, which everybody tries. Choose another.")

CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
# nginx in front: only what it appended counts.
REST_FRAMEWORK = {**REST_FRAMEWORK, "NUM_PROXIES": 1}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
