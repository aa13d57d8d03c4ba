"""Settings of what comes in by hooks and of what is told to others: webhooks, e-mail, alarms."""

from accounts.domain.allow_list import AllowList, NotAllowed
from tradeswim import env

# --- hooks in (docs/hooks.md) ---------------------------------------------------------------------
HOOK_IN = env.flag("TRADESWIM_HOOK_IN", default=False)
# How old, or how far ahead of our clock, the timestamp of a delivery may be.
HOOK_WINDOW_S = env.integer("TRADESWIM_HOOK_WINDOW_S", 60, low=5, high=600)
HOOK_BODY_LIMIT = 4096

# --- events out -----------------------------------------------------------------------------------
WEBHOOK_TIMEOUT_S = float(env.integer("TRADESWIM_WEBHOOK_TIMEOUT_S", 5, low=1, high=30))
# For so long what could not be delivered is tried again.
WEBHOOK_KEEP_TRYING_S = env.integer("TRADESWIM_WEBHOOK_KEEP_TRYING_S", 86400, low=60, high=604800)

# --- alarms ---------------------------------------------------------------------------------------
# An alarm that nobody has acknowledged is sent again after so many minutes.
ALARM_AGAIN_MIN = env.integer("TRADESWIM_ALARM_AGAIN_MIN", 15, low=1, high=1440)
# A beat without a good run for so long, while the market is open, raises an alarm.
BEAT_STALLED_S = env.integer("TRADESWIM_BEAT_STALLED_S", 60, low=20, high=3600)
# What the beat did not ring for in this time, the sweeper does.
TELL_AT_LATEST_S = 15
ALERT_TO = env.names("TRADESWIM_ALERT_TO", "")
DEFAULT_FROM_EMAIL = env.text("TRADESWIM_ALERT_FROM", "tradeswim@localhost")
MAIL = env.mail_server("TRADESWIM_EMAIL_URL")
if MAIL and not ALERT_TO:
    raise env.BadSetting("TRADESWIM_EMAIL_URL is set, but not to whom: set TRADESWIM_ALERT_TO.")
if ALERT_TO and not MAIL:
    raise env.BadSetting(
        "TRADESWIM_ALERT_TO is set, but not through which server: set TRADESWIM_EMAIL_URL."
    )
if MAIL:
    EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = MAIL.is_tls, MAIL.starts_tls
EMAIL_TIMEOUT = 5


def webhooks_to(*, is_paper: bool) -> AllowList:
    """Return where events may be sent; plain HTTP only to this machine, and only in PAPER."""
    try:
        entries = env.names("TRADESWIM_WEBHOOKS_TO", "")
        return AllowList.read(entries, takes_http=is_paper)
    except NotAllowed as error:
        raise env.BadSetting(f"TRADESWIM_WEBHOOKS_TO: {error}") from None
