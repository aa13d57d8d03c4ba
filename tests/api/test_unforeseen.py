"""Errors nobody foresaw."""

import json

import pytest
from django.test import RequestFactory

from tradeswim.api_errors import server_error


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
