"""Settings of the pages and the API: headers, cookies, sessions, the framework's."""

from tradeswim import env

SECURE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'"
)
# Passkeys are the only power of the browser's that a page of ours needs; nothing else may be asked.
PERMISSIONS_POLICY = (
    "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), "
    "encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), "
    "idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), "
    "picture-in-picture=(), publickey-credentials-create=(self), publickey-credentials-get=(self), "
    "screen-wake-lock=(), serial=(), storage-access=(), usb=(), window-management=(), "
    "xr-spatial-tracking=()"
)
# "no-referrer" makes browsers send `Origin: null` with forms, which the CSRF check refuses.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A page that nobody uses is signed out; so is everybody so long after he signed in.
SESSION_IDLE_S = env.integer("TRADESWIM_SESSION_IDLE_S", 1800, low=20, high=43_200)
SESSION_HOURS = env.integer("TRADESWIM_SESSION_HOURS", 12, low=1, high=24)
SESSION_ENGINE = "accounts.services.session_store"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
API_ACCESS_SECONDS = 300
API_REFRESH_SECONDS = SESSION_COOKIE_AGE
# The one origin whose scripts may call the API; nobody's if empty.
CORS_ORIGIN = env.origin("TRADESWIM_CORS_ORIGIN")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.AccessTokenAuthentication",
        "accounts.api.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tradeswim.json_body.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.UserThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "reads": "1800/min",
        "acts": "600/min",
        "ways-out": "600/min",
        "sign-in": "60/min",
        "hook": "30/min",
        "hook-address": "120/min",
    },
    "EXCEPTION_HANDLER": "tradeswim.api_errors.problem_response",
    "NUM_PROXIES": 0,  # who calls is the peer, whatever X-Forwarded-For says
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tradeswim",
    "VERSION": "1",
    "DESCRIPTION": "Build a trade once, broadcast it to every account, watch it, close it.",
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tradeswim.api_schema.describe_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "orders.domain.lifecycle.ParentStatus",
        "AccountOrderStatus": "orders.domain.lifecycle.Status",
        "SetStatus": "orders.domain.bookmarks.SetStatus",
        "OrderType": "strategies.domain.tickets.OrderType",
        "ExitOrderType": ["LIMIT", "MARKET"],
        "Mode": "accounts.domain.words.Mode",
        "ModeScope": "accounts.domain.words.ModeScope",
        "SettableScope": ["FLEET", "GROUP", "ACCOUNT", "UNDERLYING"],
    },
    "AUTHENTICATION_WHITELIST": [],  # the framework does not know ours; they are described here
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "accessToken": {"type": "http", "scheme": "bearer"},
            "pageSession": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            "hookSignature": {
                "type": "apiKey",
                "in": "header",
                "name": "Tradeswim-Signature",
                "description": "v1=HMAC-SHA256 over v1.<timestamp>.<delivery>.<body>",
            },
        }
    },
    "SECURITY": [{"accessToken": []}, {"pageSession": []}],
}
