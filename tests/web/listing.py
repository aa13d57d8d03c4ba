"""Ask for lists of broadcasts, and read them."""

import re
from collections.abc import Iterable
from typing import Any

from django.test import Client

from tests.web.browsing import HTMX

PANEL = "/desk/panels/orders/"


def updates(client: Client, query: str = "", **headers: str) -> Any:
    """Ask for the panel as an open page does."""
    return client.get(f"{PANEL}{query}", headers=HTMX | headers)


def numbers(answer: Any) -> list[int]:
    """Return the broadcasts in an answer, in its order."""
    return [int(pk) for pk in re.findall(r'<tbody id="broadcast-(\d+)"', answer.content.decode())]


def history_numbers(answer: Iterable[bytes]) -> list[int]:
    """Return the broadcasts in an answer of the history, in its order."""
    text = "".join(piece.decode() for piece in answer)
    return [int(pk) for pk in re.findall(r'<tr id="order-(\d+)" data-row', text)]
