"""Read JSON bodies strictly: a key given twice is refused instead of the last one winning."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON without duplicate keys, NaN, Infinity or halves of characters."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            body = json.loads(
                stream.read().decode("utf-8"),
                object_pairs_hook=_unique,
                parse_constant=_refuse_constant,
            )
            json.dumps(body, ensure_ascii=False).encode("utf-8")  # no database takes half of one
        except UnicodeEncodeError:
            raise ParseError(
                "The body is not JSON we can read: a character is cut in half"
            ) from None
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON we can read: {error}") from None
        return body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
