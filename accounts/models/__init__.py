"""Tables of users, logins, accounts, modes and the audit trail."""

from accounts.models.accounts import Account, AccountGroup, Position
from accounts.models.audit import AuditEvent, AuditSeal
from accounts.models.balances import BalanceSnapshot, FleetWorth, RefreshRun
from accounts.models.calls import AnsweredCall
from accounts.models.control import Alarm, Instance, Limit, TradingMode
from accounts.models.factors import Passkey, RecoveryCode, TotpSecret, Tries
from accounts.models.hooks import Bookmark, Delivery, Hook, HookDelivery, Message, Receiver
from accounts.models.logins import BrokerLogin, LoginAttempt, PendingConnect, Token
from accounts.models.sessions import UserSession
from accounts.models.sync import BeatDay, UptimeDay
from accounts.models.users import ApiRefresh, User

__all__ = [
    "Account",
    "AccountGroup",
    "Alarm",
    "AnsweredCall",
    "ApiRefresh",
    "AuditEvent",
    "AuditSeal",
    "BalanceSnapshot",
    "BeatDay",
    "Bookmark",
    "BrokerLogin",
    "Delivery",
    "FleetWorth",
    "Hook",
    "HookDelivery",
    "Instance",
    "Limit",
    "LoginAttempt",
    "Message",
    "Passkey",
    "PendingConnect",
    "Position",
    "Receiver",
    "RecoveryCode",
    "RefreshRun",
    "Token",
    "TotpSecret",
    "TradingMode",
    "Tries",
    "UptimeDay",
    "User",
    "UserSession",
]
