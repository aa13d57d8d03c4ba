"""Type into the builder and press its buttons, as a browser would."""

from typing import Any

from django.test import Client

from tests.web.browsing import HTMX, form_in

Values = dict[str, str]


def act(client: Client, values: Values, button: str, **typed: str) -> Any:
    """Press a button of the ticket."""
    return client.post("/desk/ticket/", values | typed | {"act": button}, headers=HTMX)


def change(client: Client, values: Values, **typed: str) -> Values:
    """Type something, and leave the field."""
    return form_in(client.post("/desk/ticket/", values | typed, headers=HTMX))


def figures(client: Client, values: Values, **typed: str) -> Any:
    """Type something; what comes back are figures and notes, no field."""
    return client.post("/desk/ticket/figures/", values | typed, headers=HTMX)
