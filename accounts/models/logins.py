"""Schwab logins with their encrypted credentials, and their tokens."""

from uuid import uuid4

from django.db import models

from accounts.domain.words import Environment, LoginStatus, choices
from accounts.fields import EncryptedTextField


class BrokerLogin(models.Model):
    """One Schwab user under one developer app."""

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
