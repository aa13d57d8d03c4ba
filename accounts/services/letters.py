"""Write a message down: as a body for programs, as a mail for people."""

from typing import Any

from django.conf import settings

from accounts.domain.happenings import Kind
from accounts.models import Message


def webhook_body(message: Message, key: str) -> dict[str, Any]:
    """Return the JSON body of a message; `id` is the same however often it comes."""
    return {
        "id": key,
        "kind": message.kind,
        "environment": settings.ENVIRONMENT,
        "at": message.at.isoformat(),
        "subject": message.subject,
        "data": message.data,
    }


def mail_subject(message: Message) -> str:
    """Return what a mail is called: the alarm's code and its words."""
    data = message.data
    is_test = "Test: " if message.kind == Kind.TEST else ""
    again = f" (sent {data['times_told']} times)" if data.get("times_told", 1) > 1 else ""
    return f"{is_test}{data['code']}: {data['words']}{again}"


def mail_body(message: Message) -> str:
    """Return what a mail says; it leads to where the alarm is acknowledged."""
    if message.kind == Kind.TEST:
        end = "This is a test: nothing happened, and nothing is to be done."
    else:
        minutes = settings.ALARM_AGAIN_MIN
        end = (
            f"Acknowledge it at {settings.WEB_URL}/desk/alarms/\n"
            f"Until somebody does, it is sent again every {minutes} minutes."
        )
    return f"{message.data['words']}\n\nRaised at {message.at:%Y-%m-%d %H:%M:%S} UTC.\n{end}\n"
