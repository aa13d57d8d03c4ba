"""Refuse to start a process whose settings, servers or rows are not safe."""

import sys
from typing import NoReturn

from django.core.checks import CheckMessage, run_checks
from django.db import Error, connections

from tradeswim.checks.rules import TAG

EXIT_CODE = 3  # with it a web worker ends gunicorn too, instead of being started for ever


def refuse_unsafe() -> None:
    """End this process with a sentence for each thing that is not safe."""
    try:
        found = run_checks(tags=[TAG], include_deployment_checks=True, databases=list(connections))
    except Error as error:
        _refuse([f"The database cannot be read: {str(error).splitlines()[0]}"])
    finally:
        connections.close_all()
    if unsafe := [_sentence(message) for message in found if message.is_serious()]:
        _refuse(unsafe)


def _sentence(message: CheckMessage) -> str:
    return f"{message.msg} {message.hint} ({message.id})"


def _refuse(sentences: list[str]) -> NoReturn:
    for sentence in sentences:
        sys.stderr.write(f"Cannot start: {sentence}\n")
    raise SystemExit(EXIT_CODE)
