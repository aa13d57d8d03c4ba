"""Read forms out of answers, and send them as a browser would, with htmx or without JavaScript."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from accounts.models import User

HTMX = {"HX-Request": "true"}


class _Form(HTMLParser):
    """Collects what a browser would send of the forms in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        is_choice = given.get("type") in {"radio", "checkbox"}
        if tag == "input" and (not is_choice or "checked" in given):
            self.values[given.get("name", "")] = given.get("value", "")
        elif tag == "select":
            self._select = given["name"]
            self.values[self._select] = ""
        elif tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


def form_in(answer: Any) -> dict[str, str]:
    """Return the values of the form in an answer."""
    parser = _Form()
    parser.feed(answer.content.decode())
    parser.values.pop("csrfmiddlewaretoken", None)
    return parser.values


def open_ticket(client: Client, **typed: str) -> dict[str, str]:
    """Open the ticket; return what stands in it."""
    return form_in(client.get("/desk/ticket/", typed, headers=HTMX))


def typed_in(values: dict[str, str]) -> dict[str, str]:
    """Return what makes a ticket: without the name under which it may be saved."""
    return {name: text for name, text in values.items() if not name.startswith("save-")}


def text_of(answer: Any) -> str:
    """Return an answer with its white space folded."""
    return " ".join(answer.content.decode().split())


def become(client: Client, user: User, role: str) -> None:
    """Give a user another role, and sign him in again: it ended what he was signed in with."""
    User.objects.filter(pk=user.pk).update(role=role)
    user.refresh_from_db()
    client.force_login(user)
