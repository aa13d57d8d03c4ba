"""Read and write the symbols of options and shares, and tell which underlying they belong to."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

OPTION_LENGTH = 21
TICKER_LENGTH = 8
# What one standard option contract is about.
SHARES_PER_CONTRACT = 100

_EXAMPLE = "SPXW  251205C07200000"
_ROOT_WIDTH = 6
_HIGHEST_STRIKE = Decimal("99999.999")
_THOUSANDTH = Decimal("0.001")

_ROOT = re.compile(r"[A-Z][A-Z0-9]{0,5}")
_DIGITS = re.compile(r"[0-9]+")
_UNPADDED = re.compile(r"[A-Z][A-Z0-9]{0,5} *[0-9]{6}[CP][0-9]{8}")
_TICKER = re.compile(r"[A-Z][A-Z0-9]*(?:[/.][A-Z0-9]+)?")

_INDEXES = frozenset({"SPX", "NDX", "RUT", "VIX", "XSP", "DJX"})
# Option roots whose underlying goes by another name: PM-settled and weekly index series, and
# class shares, whose roots drop the separator of the ticker.
_UNDERLYING_OF_ROOT = {
    "SPXW": "SPX",
    "NDXP": "NDX",
    "RUTW": "RUT",
    "VIXW": "VIX",
    "BRKB": "BRK/B",
    "BFB": "BF/B",
}
_DEFAULT_ROOTS = {"SPX": "SPXW"}


class InvalidSymbol(ValueError):
    """A text that is no symbol; its message says why and how to write it."""


class PutCall(StrEnum):
    PUT = "PUT"
    CALL = "CALL"

    @property
    def letter(self) -> str:
        """As it stands in a symbol."""
        return self.value[0]


@dataclass(frozen=True, slots=True)
class OptionSymbol:
    """What an option symbol says.

    Args:
        root: without its padding: `SPXW`.
        strike: USD per share of the underlying.
        text: the 21 characters as they were read, for the wire.
    """

    root: str
    expiration: date
    put_call: PutCall
    strike: Decimal
    text: str


@lru_cache(maxsize=4096)
def parse_option(text: str) -> OptionSymbol:
    """Read a 21-character OCC option symbol, strictly.

    Raises:
        InvalidSymbol: anything else. Nothing is repaired silently: Schwab refuses unpadded
            symbols, and a guess could trade something else.
    """
    _check_outline(text)
    root = text[:_ROOT_WIDTH].rstrip(" ")
    if not _ROOT.fullmatch(root):
        raise _not_an_option(
            text, "its root must be letters and digits, beginning with a letter, spaces only behind"
        )
    return OptionSymbol(
        root=root,
        expiration=_read_expiration(text),
        put_call=_read_side(text),
        strike=_read_strike(text),
        text=text,
    )


def format_option(*, root: str, expiration: date, put_call: PutCall, strike: Decimal) -> str:
    """Write the 21-character OCC symbol of an option.

    Raises:
        InvalidSymbol: the root, year or strike has no place in such a symbol.
        TypeError: the strike is no Decimal; a float would lose thousandths.
    """
    if not isinstance(strike, Decimal):
        raise TypeError(f"A strike is a Decimal, not {type(strike).__name__}.")
    if not _ROOT.fullmatch(root):
        raise InvalidSymbol(
            f"{_shown(root)} is not an option root: use 1 to 6 upper-case letters and digits, "
            "beginning with a letter, without $ or /."
        )
    if not 2000 <= expiration.year <= 2099:
        raise InvalidSymbol(f"The year {expiration.year} is not between 2000 and 2099.")
    if not strike.is_finite() or not 0 < strike <= _HIGHEST_STRIKE or strike % _THOUSANDTH:
        raise InvalidSymbol(
            f"The strike {_shown(str(strike))} cannot be written: use whole thousandths above 0, "
            f"at most {_HIGHEST_STRIKE}."
        )
    return f"{root:<6}{expiration:%y%m%d}{put_call.letter}{int(strike.scaleb(3)):08d}"


def is_option(text: str) -> bool:
    """Tell whether a symbol has the outline of an option's; parse_option() has the last word."""
    return len(text) == OPTION_LENGTH and text[12] in "CP" and text[13:].isdigit()


def readable(text: str) -> str:
    """Write an option for people, `SPXW 12/05/2025 7200.00 C`; any other text stays as it is."""
    try:
        option = parse_option(text)
    except InvalidSymbol:
        return text
    places = 3 if option.strike % Decimal("0.01") else 2
    letter = option.put_call.letter
    return f"{option.root} {option.expiration:%m/%d/%Y} {option.strike:.{places}f} {letter}"


def check_ticker(text: str) -> str:
    """Return the ticker of a share unchanged.

    Raises:
        InvalidSymbol: it is not written as Schwab writes tickers.
    """
    if len(text) > TICKER_LENGTH:
        raise InvalidSymbol(
            f"{_shown(text)} is not a ticker: it has {len(text)} characters, "
            f"at most {TICKER_LENGTH} are allowed."
        )
    if not _TICKER.fullmatch(text):
        raise InvalidSymbol(
            f"{_shown(text)} is not a ticker: use upper-case letters and digits, beginning with a "
            "letter, and at most one / or . before the share class, such as AAPL or BRK/B."
        )
    return text


def underlying_of(symbol: str) -> str:
    """Return the common name of the underlying of a ticker, an option root or an option symbol."""
    root = symbol[:_ROOT_WIDTH].rstrip(" ") if is_option(symbol) else symbol.removeprefix("$")
    return _UNDERLYING_OF_ROOT.get(root, root)


def is_index(underlying: str) -> bool:
    """Tell whether a common name is an index, of which only options can be traded."""
    return underlying in _INDEXES


def quote_symbol(underlying: str) -> str:
    """Return the symbol under which Schwab quotes an underlying: `$SPX`, `AAPL`."""
    return f"${underlying}" if is_index(underlying) else underlying


def default_root(underlying: str) -> str:
    """Return the option root that agents mean: SPXW for SPX; class shares lose their separator."""
    return _DEFAULT_ROOTS.get(underlying, re.sub(r"[/.]", "", underlying))


def _check_outline(text: str) -> None:
    if not text.isascii() or not text.isprintable():
        raise _not_an_option(
            text, "it has a character from outside plain text; retype it with ordinary spaces"
        )
    if len(text) != OPTION_LENGTH:
        raise _not_an_option(text, _why_wrong_length(text))
    if text != text.upper():
        raise _not_an_option(text, "it has small letters; write it in capitals")


def _why_wrong_length(text: str) -> str:
    if text.startswith("."):
        return "it is in another platform's form with a leading dot; write out the date and strike"
    if "_" in text:
        return "it is in an older form with an underscore; write year, month and day in this order"
    if _UNPADDED.fullmatch(text):
        return "its root is not padded with spaces to exactly 6 characters; pad it"
    return f"it has {len(text)} characters; write exactly {OPTION_LENGTH}"


def _read_expiration(text: str) -> date:
    digits = text[6:12]
    try:
        if _DIGITS.fullmatch(digits):
            return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        pass
    raise _not_an_option(text, f"{digits!r} is no date; write a real one as YYMMDD")


def _read_side(text: str) -> PutCall:
    for side in PutCall:
        if text[12] == side.letter:
            return side
    raise _not_an_option(
        text, f"its 13th character is {text[12]!r}; write C for a call, P for a put"
    )


def _read_strike(text: str) -> Decimal:
    digits = text[13:]
    if not _DIGITS.fullmatch(digits):
        raise _not_an_option(text, f"{digits!r} is no strike; write it in thousandths, as 8 digits")
    if not int(digits):
        raise _not_an_option(text, "its strike is zero; write one above zero")
    return Decimal(int(digits)).scaleb(-3)


def _not_an_option(text: str, why: str) -> InvalidSymbol:
    return InvalidSymbol(
        f"{_shown(text)} is not an option symbol: {why}. A right one is {_EXAMPLE!r}."
    )


def _shown(text: str) -> str:
    """Quote a text for a message, cut so that a hostile one cannot flood it."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
