"""Addresses of the desk."""

from django.urls import path

from orders import views

urlpatterns = [
    path("", views.desk, name="desk"),
    path("desk/broadcasts/", views.broadcasts, name="broadcasts"),
    path("desk/fleet/", views.fleet, name="fleet"),
    path("desk/ticket/", views.ticket, name="ticket"),
    path("desk/review/", views.review, name="review"),
    path("desk/send/", views.send, name="send"),
]
