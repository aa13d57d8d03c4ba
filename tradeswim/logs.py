"""Write each record of the log so that it is one record, holds no secret and says whose it is."""

import json
import logging
import os
import re
from datetime import UTC, datetime

from accounts.live.asking import asking

# Everything that moves a terminal's cursor or ends a line; tabs are harmless.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
HIDDEN = "***"
# A net below the rule that secrets are never logged: what looks like one is not written.
_SECRETS = (
    re.compile(r"(?i)\b(Bearer|Basic)\s+[\w.~+/=-]{6,}"),
    re.compile(
        r"""(?ix)\b((?:access_|refresh_|id_)?token|code|client_secret|secret|password|passwd|otp
        |authorization|cookie|sessionid|schwabclientcustomerid)
        (["']?\s*[=:]\s*)
        (?:"(?:[^"\\]|\\.)+"|'(?:[^'\\]|\\.)+'|["']?[^\s"'&,;}]{4,})"""
    ),
    re.compile(r"(://[^/\s:@]*:)[^@\s/]+(?=@)"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
)
# Schwab's account numbers have eight or nine digits; its order numbers have more.
_ACCOUNT = re.compile(r"(?<![\w-])(?<!\d\.)\d{4,5}(\d{4})(?![\w-]|\.\d)")


def redacted(text: str) -> str:
    """Return the text without what looks like a secret or a whole account number."""
    bearer, named, address, signed = _SECRETS
    text = bearer.sub(rf"\1 {HIDDEN}", text)
    text = named.sub(rf"\1\2{HIDDEN}", text)
    text = address.sub(rf"\1{HIDDEN}", text)
    text = signed.sub(HIDDEN, text)
    return _ACCOUNT.sub(r"…\1", text)


class Indented(logging.Formatter):
    """Indents all lines but the first, and spells control characters out.

    What a broker or a user says may hold line breaks; a record begins at the margin. It ends with
    the request that made it happen, if there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = redacted(super().format(record)).replace("\n", "\n    ")
        text = CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
        request_id = asking().request_id
        return f"{text} [{request_id}]" if request_id else text


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        asked = asking()
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": os.environ.get("TRADESWIM_PROCESS") or record.processName,
            "pid": record.process,
            "message": redacted(record.getMessage()),
            "request_id": asked.request_id,
            "address": asked.address,
        }
        if record.exc_info:
            said["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps({name: value for name, value in said.items() if value}, default=str)
