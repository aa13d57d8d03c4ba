"""Addresses of the desk."""

from django.urls import path

from orders.views import desk

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("desk/broadcasts/", desk.broadcasts, name="broadcasts"),
    path("desk/fleet/", desk.fleet, name="fleet"),
    path("desk/ticket/", desk.ticket, name="ticket"),
    path("desk/review/", desk.review, name="review"),
    path("desk/send/", desk.send, name="send"),
]
