"""Write each record of the log so that nothing in it can pass for a record of its own."""

import logging
import re

# Everything that moves a terminal's cursor or ends a line; tabs are harmless.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Indented(logging.Formatter):
    """Indents all lines but the first, and spells control characters out.

    What a broker or a user says may hold line breaks; a record begins at the margin.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).replace("\n", "\n    ")
        return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
