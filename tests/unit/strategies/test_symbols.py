"""Option symbols, tickers and the names of underlyings."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.domain import symbols
from strategies.domain.symbols import InvalidSymbol, PutCall

ROOTS = st.from_regex(r"\A[A-Z][A-Z0-9]{0,5}\Z")
EXPIRATIONS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
STRIKES = st.integers(1, 99_999_999).map(lambda thousandths: Decimal(thousandths).scaleb(-3))


@given(ROOTS, EXPIRATIONS, st.sampled_from(PutCall), STRIKES)
def test_whatever_is_formatted_is_read_back_the_same(root, expiration, put_call, strike):
    text = symbols.format_option(root=root, expiration=expiration, put_call=put_call, strike=strike)

    option = symbols.parse_option(text)

    assert len(text) == 21
    assert symbols.is_option(text)
    assert (option.root, option.expiration, option.put_call, option.strike, option.text) == (
        root,
        expiration,
        put_call,
        strike,
        text,
    )


@given(
    st.from_regex(r"\A[A-C]{1,6} {0,5}[0-3]{6}[CP]0[0-9]{7}\Z"),
    st.integers(0, 20),
    st.none() | st.sampled_from("A0 CP$.\tc\u0663"),
)
def test_whatever_is_read_is_formatted_back_the_same_and_the_rest_is_invalid(text, place, other):
    if other is not None:
        text = text[:place] + other + text[place + 1 :]
    try:
        option = symbols.parse_option(text)
    except InvalidSymbol:
        return
    assert text == symbols.format_option(
        root=option.root,
        expiration=option.expiration,
        put_call=option.put_call,
        strike=option.strike,
    )


@pytest.mark.parametrize(
    ("text", "root", "expiration", "put_call", "strike"),
    [
        ("AAPL  251219C00200000", "AAPL", date(2025, 12, 19), PutCall.CALL, "200"),
        ("XYZ   210115C00062500", "XYZ", date(2021, 1, 15), PutCall.CALL, "62.5"),
        ("SPXW  240420C05040000", "SPXW", date(2024, 4, 20), PutCall.CALL, "5040"),
        ("SPXW  260116P05900000", "SPXW", date(2026, 1, 16), PutCall.PUT, "5900"),
        ("BRKB  260116P00450000", "BRKB", date(2026, 1, 16), PutCall.PUT, "450"),
        ("PCG1  260116C00015000", "PCG1", date(2026, 1, 16), PutCall.CALL, "15"),
        ("F     240229C00012001", "F", date(2024, 2, 29), PutCall.CALL, "12.001"),
        ("ABCDEF991231P99999999", "ABCDEF", date(2099, 12, 31), PutCall.PUT, "99999.999"),
    ],
)
def test_option_symbols_are_read(text, root, expiration, put_call, strike):
    option = symbols.parse_option(text)

    assert option == symbols.OptionSymbol(root, expiration, put_call, Decimal(strike), text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("AAPL251219C00200000", "root is not padded"),
        ("WMT 260605C00121000", "root is not padded"),
        (".SPXW250131C6210", "leading dot"),
        ("SPXW_013125C6210", "underscore"),
        ("", "has 0 characters; write exactly 21"),
        ("SPXW 260116P05900000", "root is not padded"),
        ("SPXW   260116P05900000", "root is not padded"),
        ("SPXW  260116P0590000", "has 20 characters"),
        ("SPXW  260116P059000000", "has 22 characters"),
        ("SPXW  260116P05900000\n", "outside plain text"),
        ("SPXW\t\t260116P05900000", "outside plain text"),
        ("SPXW\u00a0\u00a0260116P05900000", "outside plain text"),
        ("SPXW  260116P0590000\u0660", "outside plain text"),
        ("SPXW  26011\u0666P05900000", "outside plain text"),
        ("spxw  260116P05900000", "small letters"),
        ("SPXW  260116p05900000", "small letters"),
        ("SPXW  260116c05900000", "small letters"),
        ("$SPX  260116P05900000", "root must be"),
        ("BRK/B 260116P00450000", "root must be"),
        ("SP XW 260116P05900000", "root must be"),
        ("  SPXW260116P05900000", "root must be"),
        ("      260116P05900000", "root must be"),
        ("1SPXW 260116P05900000", "root must be"),
        ("SPXW  250230C05900000", "'250230' is no date"),
        ("SPXW  251301C05900000", "'251301' is no date"),
        ("SPXW  250001C05900000", "'250001' is no date"),
        ("SPXW  250229C05900000", "'250229' is no date"),
        ("SPXW  25 101C05900000", "'25 101' is no date"),
        ("SPXW  +25101C05900000", "'+25101' is no date"),
        ("SPXW  260116X05900000", "write C for a call, P for a put"),
        ("SPXW  260116P00000000", "strike is zero"),
        ("SPXW  260116P5900.000", "is no strike"),
        ("SPXW  260116P-5900000", "is no strike"),
        ("SPXW  260116P 5900000", "is no strike"),
        ("SPXW  260116P05_00000", "is no strike"),
    ],
)
def test_other_texts_are_refused_with_the_reason_and_an_example(text, why):
    with pytest.raises(InvalidSymbol) as caught:
        symbols.parse_option(text)

    assert why in str(caught.value)
    assert "'SPXW  251205C07200000'" in str(caught.value)


def test_a_hostile_text_does_not_flood_the_message():
    with pytest.raises(InvalidSymbol) as caught:
        symbols.parse_option("A" * 1_000_000)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "strike",
    [
        *("0", "-1", "0.0001", "1.0005", "100000", "99999.9991", "NaN", "sNaN", "Infinity"),
        "1.00000000000000000000000000000000000000001",
        "1E+999999",
        "1E-999999",
    ],
)
def test_a_strike_that_has_no_place_in_a_symbol_is_refused(strike):
    with pytest.raises(InvalidSymbol, match="whole thousandths above 0"):
        symbols.format_option(
            root="AAPL",
            expiration=date(2026, 1, 16),
            put_call=PutCall.CALL,
            strike=Decimal(strike),
        )


def test_no_thousandth_of_a_strike_is_lost():
    assert (
        symbols.format_option(
            root="AAPL",
            expiration=date(2026, 1, 16),
            put_call=PutCall.CALL,
            strike=Decimal("1.005"),
        )
        == "AAPL  260116C00001005"
    )


@pytest.mark.parametrize("strike", [1.005, 1, "1.005"])
def test_a_strike_that_is_no_decimal_is_refused(strike):
    with pytest.raises(TypeError, match="A strike is a Decimal"):
        symbols.format_option(
            root="AAPL", expiration=date(2026, 1, 16), put_call=PutCall.CALL, strike=strike
        )


@pytest.mark.parametrize("root", ["", "$SPX", "BRK/B", "aapl", "TOOLONG", "AAPL ", "1SPX", "Ä"])
def test_a_root_that_has_no_place_in_a_symbol_is_refused(root):
    with pytest.raises(InvalidSymbol, match="not an option root"):
        symbols.format_option(
            root=root, expiration=date(2026, 1, 16), put_call=PutCall.CALL, strike=Decimal(1)
        )


@pytest.mark.parametrize("year", [1999, 2100])
def test_a_year_that_two_digits_cannot_say_is_refused(year):
    with pytest.raises(InvalidSymbol, match=str(year)):
        symbols.format_option(
            root="AAPL", expiration=date(year, 1, 16), put_call=PutCall.CALL, strike=Decimal(1)
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SPXW  251205C07200000", "SPXW 12/05/2025 7200.00 C"),
        ("F     251205P00012500", "F 12/05/2025 12.50 P"),
        ("F     251205P00012125", "F 12/05/2025 12.125 P"),
        ("AAPL", "AAPL"),
        ("SPXW  251305C07200000", "SPXW  251305C07200000"),
    ],
)
def test_options_are_written_for_people_and_other_texts_stay(text, expected):
    assert symbols.readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SPXW  251205C07200000", True),
        ("AAPL", False),
        ("AAPL251219C00200000", False),
        ("SPXW  251205X07200000", False),
        ("SPXW  251205C0720000A", False),
    ],
)
def test_the_outline_of_an_option_is_told(text, expected):
    assert symbols.is_option(text) is expected


@pytest.mark.parametrize("text", ["A", "AAPL", "BRK/B", "BRK.B", "ABCDEF/G", "GOOGL", "ABC1"])
def test_tickers_are_accepted_unchanged(text):
    assert symbols.check_ticker(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "aapl", "$SPX", "AAPL ", " AAPL", "BRK B", "BRK/", "/B", ".B", "BRK//B"),
        *("BRK/B/C", "BRK/B.C", "1A", "ABCDEFGHI", "AAPL\n", "ÄAPL", "AAPL\u0661", "A-B"),
        "SPXW  251205C07200000",
    ],
)
def test_texts_that_are_no_ticker_are_refused(text):
    with pytest.raises(InvalidSymbol, match="is not a ticker"):
        symbols.check_ticker(text)


@pytest.mark.parametrize(
    ("symbol", "underlying"),
    [
        ("SPX", "SPX"),
        ("$SPX", "SPX"),
        ("SPXW", "SPX"),
        ("SPXW  251205C07200000", "SPX"),
        ("SPX   251219C07200000", "SPX"),
        ("NDXP", "NDX"),
        ("RUTW", "RUT"),
        ("VIXW", "VIX"),
        ("XSP", "XSP"),
        ("AAPL", "AAPL"),
        ("SPY   251205C00680000", "SPY"),
        ("BRK/B", "BRK/B"),
        ("BRKB  251205C00480000", "BRK/B"),
    ],
)
def test_every_symbol_has_the_common_name_of_its_underlying(symbol, underlying):
    assert symbols.underlying_of(symbol) == underlying


@pytest.mark.parametrize(
    ("underlying", "quoted", "root", "index"),
    [
        ("SPX", "$SPX", "SPXW", True),
        ("NDX", "$NDX", "NDX", True),
        ("RUT", "$RUT", "RUT", True),
        ("VIX", "$VIX", "VIX", True),
        ("XSP", "$XSP", "XSP", True),
        ("DJX", "$DJX", "DJX", True),
        ("AAPL", "AAPL", "AAPL", False),
        ("BRK/B", "BRK/B", "BRKB", False),
    ],
)
def test_an_underlying_has_a_quote_symbol_and_a_default_root(underlying, quoted, root, index):
    assert symbols.quote_symbol(underlying) == quoted
    assert symbols.default_root(underlying) == root
    assert symbols.is_index(underlying) is index
    assert symbols.underlying_of(root) == underlying
