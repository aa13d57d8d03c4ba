"""Addresses of the pages about people and accounts."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from accounts.views.stream import stream

urlpatterns = [
    path("sign-in/", LoginView.as_view(redirect_authenticated_user=True), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("live/stream/", stream, name="live-stream"),
]
