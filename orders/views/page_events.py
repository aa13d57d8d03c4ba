"""What an answer has an open page do, whatever becomes of the element that asked."""

from typing import Final

from django.http import HttpResponse
from django_htmx.http import trigger_client_event

# Close the dialog; ask for the panels again, without waiting to be told.
CLOSE: Final = "closeModal"
CHANGED: Final = "changed"
# What needs a proof of the last 15 minutes may be sent now.
PROVED: Final = "proved"


def with_events(answer: HttpResponse, *events: str) -> HttpResponse:
    """Let these events happen on the page's body once the answer is shown.

    htmx lets them happen on the element that asked, and what an answer takes away (a toast, a row,
    a form in a dialog) has no page above it any more that could hear.
    """
    for event in events:
        trigger_client_event(answer, event, {"target": "body"})
    return answer
