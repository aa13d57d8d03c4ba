"""Addresses of the pages about people and accounts."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.views.signing_in import second_step, sign_in
from accounts.views.stream import stream

urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/second/", second_step, name="second-step"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("live/stream/", stream, name="live-stream"),
]
