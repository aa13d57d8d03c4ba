"""Strangers at the door: browsers at an address of theirs, and what they find there."""

import html
import re
import threading
from contextlib import closing

from django.db import connection
from django.test import Client

from accounts.models import AuditEvent
from accounts.services.second_factors import WrongFactor
from accounts.services.tries import TooManyTries
from tests.support.make import PASSWORD

SECOND = "/sign-in/second/"
PAGE = "/settings/second-factors/"


def visitor(address="192.0.2.1"):
    return Client(headers={"host": "localhost"}, REMOTE_ADDR=address)


def sign_in(browser, name="agent", password=PASSWORD):
    return browser.post("/sign-in/", {"username": name, "password": password})


def is_in(browser):
    return browser.get("/settings/").status_code == 200


def kinds(*wanted):
    found = AuditEvent.objects.filter(kind__in=wanted).order_by("id")
    return list(found.values_list("kind", flat=True))


def at_once(number, act):
    """Do it in so many threads, each with a connection of its own, as workers have; say how it went."""
    start, found = threading.Barrier(number), []

    def work():
        with closing(connection):
            start.wait()
            try:
                act()
            except (WrongFactor, TooManyTries) as error:
                found.append(type(error).__name__)
            else:
                found.append("ok")

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def options_on(browser, address):
    page = browser.get(address).content.decode()
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])
