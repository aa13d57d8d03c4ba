"""Whatever is sent to the API, it answers as its description says, and nothing breaks.

schemathesis makes the calls out of the description: what fits it, its borders and what does not.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.api.caller import Caller
from tests.security.walking import settle

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
]
calm = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described() -> Any:
    """The description, and the site behind it in this very process."""
    generated = SchemaGenerator().get_schema(request=None, public=True)
    description = json.loads(OpenApiJsonRenderer().render(generated))
    schema = schemathesis.openapi.from_dict(description)
    schema.app = WSGIHandler()
    return schema


@pytest.fixture
def program(fleet, queue, settings) -> Iterator[Caller]:
    """The agent's program, in a fleet that has traded."""
    settings.CACHE_URL = queue.url
    settle(fleet)
    caller = Caller(fleet.agent)
    caller.sign_in()
    with one_connection():
        yield caller


@contextmanager
def one_connection() -> Iterator[None]:
    """Keep the test's connection over many requests, as Django's own client for tests does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.timeout(180)  # hundreds of calls
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_call_answers_as_described(described, program, mode):
    headers = {"Authorization": f"Bearer {program.access}"}
    failures: list[str] = []
    for found in described.get_all_operations():
        operation = found.ok()

        @calm
        @given(case=operation.as_strategy(generation_mode=mode))
        def calls(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            calls()
        except Unsatisfiable:  # nothing can be wrong about a call that takes nothing
            assert not [*operation.iter_parameters(), *operation.body], operation.label
        except FailureGroup as found_wrong:
            failures += [f"{operation.label}: {one!r}" for one in found_wrong.exceptions]
    assert not failures, "\n".join(failures)
