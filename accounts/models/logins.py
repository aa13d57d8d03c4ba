"""Schwab logins with their encrypted credentials, and their tokens."""

from uuid import uuid4

from django.db import models

from accounts.domain.words import Environment, LoginStatus, choices
from accounts.fields import EncryptedTextField


class BrokerLogin(models.Model):
    """One Schwab user under one developer app.

    With `is_automatic` a browser of ours signs in for the user before his tokens end, next at
    `renew_at`; `automatic_why` says why that was switched off.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    label = models.CharField(max_length=80, unique=True)
    environment = models.CharField(max_length=5, choices=choices(Environment))
    app_key = EncryptedTextField()
    app_key_index = models.CharField(max_length=64, db_index=True, editable=False)
    app_secret = EncryptedTextField()
    user_name = EncryptedTextField(null=True)
    password = EncryptedTextField(null=True)
    totp_secret = EncryptedTextField(null=True)
    callback_url = models.CharField(max_length=255)
    status = models.CharField(
        max_length=14, choices=choices(LoginStatus), default=LoginStatus.LOGIN_REQUIRED
    )
    status_reason = models.CharField(max_length=300, blank=True)
    authorized_at = models.DateTimeField(null=True, blank=True)
    is_automatic = models.BooleanField(default=False)
    automatic_why = models.CharField(max_length=300, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class Token(models.Model):
    """The tokens of a login; whoever holds the lease is the only one who may renew them."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    login = models.OneToOneField(BrokerLogin, on_delete=models.CASCADE, related_name="token")
    access = EncryptedTextField()
    refresh = EncryptedTextField()
    access_expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"token of {self.login_id}"


class PendingConnect(models.Model):
    """A sign-in at the broker that somebody began and that has not come back yet.

    `state_digest` stands for the `state` that the broker echoes; it is good once, and only in the
    session it was given to. `verifier` is that of PKCE. `queue` are the logins to go on with.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    login = models.ForeignKey(BrokerLogin, on_delete=models.CASCADE, related_name="pending")
    state_digest = models.CharField(max_length=64, unique=True)
    session_key = models.CharField(max_length=40)
    verifier = EncryptedTextField(null=True)
    queue = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in of {self.login_id}"


class LoginAttempt(models.Model):
    """One attempt of our browser to sign in; `screenshot` is the last page's PNG in base64."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    login = models.ForeignKey(BrokerLogin, on_delete=models.CASCADE, related_name="attempts")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=20, blank=True)
    page = models.CharField(max_length=80, blank=True)
    words = models.CharField(max_length=300, blank=True)
    screenshot = EncryptedTextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["login", "began_at"], name="attempts_by_login")]

    def __str__(self) -> str:
        return f"attempt of {self.login_id} at {self.began_at:%Y-%m-%d %H:%M}"
