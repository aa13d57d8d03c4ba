"""Addresses of the API that are about people and accounts."""

from django.urls import path

from accounts.api import accounts, signing_in

urlpatterns = [
    path("auth/token/", signing_in.token),
    path("auth/refresh/", signing_in.refresh),
    path("auth/logout/", signing_in.logout),
    path("accounts/", accounts.accounts),
    path("accounts/refresh/", accounts.refresh),
    path("accounts/refresh/<int:run_id>/", accounts.refresh_progress),
    path("accounts/<uuid:pk>/", accounts.account),
]
