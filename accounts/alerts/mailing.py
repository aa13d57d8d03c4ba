"""Mail one message to the people whom the settings name."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.alerts.errors import NotDelivered

LONGEST_SUBJECT = 150


def mail(subject: str, body: str, *, key: str) -> str:
    """Send a mail; return in words how it was taken. Errors: NotDelivered.

    Args:
        key: of the delivery; a mail that comes twice has the same message id.
    """
    line = " ".join(subject.split())[:LONGEST_SUBJECT]
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(">") or "localhost"
    letter = EmailMessage(
        f"[Tradeswim {settings.ENVIRONMENT}] {line}",
        body,
        to=settings.ALERT_TO,
        headers={"Message-ID": f"<{key}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        letter.send()
    except (OSError, smtplib.SMTPException) as error:
        # Its own words may repeat what was said to the server.
        raise NotDelivered(f"The mail server did not take it ({type(error).__name__}).") from None
    return f"mailed to {len(settings.ALERT_TO)}"
