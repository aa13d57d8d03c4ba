"""The stable codes of problems: all that the API answers when it refuses, for programs to act on.

docs/api.md has the same tables in words; a test compares them.
"""

from dataclasses import dataclass

from orders.domain.guards import OVERRIDABLE, Guard


@dataclass(frozen=True, slots=True)
class Code:
    """A problem's code, the status it comes with, and what it means."""

    code: str
    status: int
    means: str


_GUARDS = {
    Guard.DUPLICATE_ORDER: "the same order went to the account within 60 s",
    Guard.MAX_CONTRACTS: "more contracts than the limits allow",
    Guard.PRICE_AWAY: "the limit is far worse than the market, or there is no quote to compare",
    Guard.NO_MARKET_MULTILEG: "a MARKET order with several legs",
    Guard.CREDIT_OVER_WIDTH: "a credit at or above the width",
    Guard.BUYING_POWER: "accounts that cannot pay for their share",
    Guard.EXPIRED: "an option that has expired",
    Guard.MODE: "a mode forbids it in every account that is meant",
}


def _of_guard(guard: Guard) -> Code:
    is_soft = "; `confirm` sends it" if guard in OVERRIDABLE else ""
    return Code(guard.value, 400, _GUARDS[guard] + is_soft)


PROBLEMS = (
    Code("invalid", 400, "something in the request is wrong; `errors` names each field"),
    *map(_of_guard, Guard),
    Code("parse_error", 400, "the body is not JSON, or says a key twice"),
    Code("invalid_symbol", 400, "the address names no underlying"),
    Code("not_authenticated", 401, "no access token and no session"),
    Code("authentication_failed", 401, "the access token, or name and password, are not good"),
    Code("otp_required", 401, "the user has a second factor: give `otp` as well"),
    Code("otp_wrong", 401, "the code of the second factor is not good, or was used"),
    Code("session_ended", 401, "the session is over; sign in again"),
    Code("permission_denied", 403, "the role does not allow it, or a page's CSRF token is missing"),
    Code("second_factor_required", 403, "the user must set up a second factor on the page first"),
    Code("proof_too_old", 403, "this needs a sign-in of the last 15 minutes"),
    Code("password_required", 403, "it allows more than now: give your password"),
    Code("from_elsewhere", 403, "a page of another site sent it"),
    Code("not_found", 404, "there is no such thing"),
    Code("method_not_allowed", 405, "the address does not take this method"),
    Code("not_acceptable", 406, "answers are JSON; `Accept` asks for something else"),
    Code("idempotency_key_reused", 409, "the key was used for something else"),
    Code("in_progress", 409, "the call of this key is at work or was cut off: look, do not repeat"),
    Code("delivery_used", 409, "the delivery came before, with something else or in vain"),
    Code("already_flat", 409, "nothing of the set is left to close"),
    Code("cannot_control", 409, "as the order stands, this cannot be done"),
    Code("mode_forbids", 409, "a mode in force forbids the change"),
    Code("too_large", 413, "the body is larger than 256 KB"),
    Code("unsupported_media_type", 415, "the body is not declared as application/json"),
    Code("too_many_tries", 429, "too many wrong tries; `Retry-After` says how long to wait"),
    Code("throttled", 429, "too many calls; `Retry-After` says how many seconds to wait"),
    Code("server_error", 500, "something broke on our side; look before you repeat"),
    Code("broker_refused", 502, "the broker says no"),
    Code("broker_error", 502, "the broker's answer is of no use"),
    Code("queue_down", 503, "the task queue does not answer; nothing was done"),
    Code("database_busy", 503, "the database did not answer; the same key may be sent again"),
    Code("login_required", 503, "a broker login must be connected first"),
    Code("broker_unavailable", 503, "the broker does not answer"),
)

# What stands in `errors`; the field says where. A guard's code may stand here, too.
FAULTS = {
    "required": "it is missing",
    "null": "it must not be null",
    "blank": "it must not be empty",
    "empty": "name at least one",
    "missing": "this trade needs it",
    "invalid": "it is not of the right kind",
    "invalid_choice": "it is none of the words that are listed",
    "not_a_list": "it must be a list",
    "unknown": "there is no such field",
    "given_twice": "a parameter came more than once",
    "not_allowed": "this trade does not take it",
    "not_confirmed": "the phrase is not the one asked for",
    "min_value": "too small",
    "max_value": "too large",
    "min_length": "too short",
    "max_length": "too long",
    "too_large": "a price above all prices",
    "out_of_range": "outside of its bounds",
    "max_digits": "too many digits",
    "max_whole_digits": "too many digits before the point",
    "max_decimal_places": "too many digits after the point",
    "max_string_length": "far too long for a number",
    "too_many_decimals": "more digits after the point than such a price has",
    "off_tick": "not a multiple of the tick",
    "not_positive": "it must be above zero",
    "not_zero": "an even trade has no price",
    "not_finite": "no number",
    "beyond_width": "a debit at or above the width",
    "contradicts_legs": "the legs go the other way",
    "no_quote": "there is no quote to price it by: give a limit",
    "null_characters_not_allowed": "it holds a null character",
    "surrogate_characters_not_allowed": "it holds half a character",
    "unknown_account": "there is no such account here",
    "unknown_group": "there is no such group",
    "no_accounts": "no account is left to send to",
    "invalid_symbol": "not a symbol",
    "index_not_tradable": "an index has no shares",
    "nonstandard": "an adjusted option",
    "wrong_instruction": "the instruction does not go with the symbol",
    "duplicate_leg": "the same symbol twice",
    "too_many_legs": "more than four legs",
    "mixed_assets": "shares and options in one trade",
    "mixed_roots": "legs of different underlyings",
    "mixed_expirations": "legs of different days",
    "mixed_ratios": "legs of different ratios",
    "mixed_opening_closing": "legs that open beside legs that close",
    "not_one": "a common ratio belongs into `contracts`",
    "unknown_shape": "the legs make no trade we know",
    "strike_order": "the strikes are in no order that makes a trade",
    "strategy_mismatch": "the legs make another strategy",
    "wrong_side": "the bound of the ladder is on the wrong side of the limit",
    "unknown_saved_order": "the hook's agent has no saved order of this name",
    "unreadable": "the saved order is not one that can be sent any more",
    "too_many_steps": "the ladder has too many steps",
}


def codes_of(status: int) -> list[str]:
    """Return the codes that a status comes with."""
    return [one.code for one in PROBLEMS if one.status == status]
