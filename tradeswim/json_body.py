"""Read JSON bodies strictly: a key given twice is refused instead of the last one winning."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON without duplicate keys, NaN or Infinity."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return json.loads(
                stream.read().decode("utf-8"),
                object_pairs_hook=_unique,
                parse_constant=_refuse_constant,
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON we can read: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
