"""Errors nobody foresaw."""

import json

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from tradeswim.api_errors import problem_response, server_error


def test_a_program_gets_a_problem_when_something_breaks():
    answer = server_error(RequestFactory().get("/api/v1/orders/"))

    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["code"] == "server_error"


@pytest.mark.django_db
def test_a_person_gets_the_page_when_something_breaks():
    answer = server_error(RequestFactory().get("/"))

    assert answer.status_code == 500
    assert b"<html" in answer.content


@pytest.mark.django_db
def test_a_database_that_is_locked_is_no_mystery_and_says_what_to_do():
    answer = problem_response(OperationalError("database is locked"), {})

    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (503, "database_busy")
    assert "same Idempotency-Key" in answer.data["detail"]
