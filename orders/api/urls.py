"""Addresses of the API that are about orders and chains."""

from django.urls import path, register_converter

from orders.api import controls, exits, hooks, ladders, modes, sets, status, views
from orders.api.converters import DayConverter

register_converter(DayConverter, "day")

urlpatterns = [
    path("orders/", views.orders),
    path("orders/<int:pk>/", views.order),
    path("orders/<int:pk>/cancel/", controls.cancel),
    path("orders/<int:pk>/replace/", controls.replace),
    path("orders/<int:pk>/retry-failed/", controls.retry),
    path("orders/<int:pk>/ladder/", ladders.ladder),
    path("sets/", sets.sets),
    path("sets/<int:pk>/", sets.placed_set),
    path("sets/<int:pk>/exit/", exits.leave),
    path("close-everything/", exits.everything),
    path("mode/", modes.mode),
    path("hooks/saved-order/", hooks.saved_order, name="hook-saved-order"),
    path("status/", status.status),
    path("sync/<str:name>/", status.sync),
    path("expirations/<str:underlying>/", views.expirations),
    path("chains/<str:underlying>/<day:expiration>/", views.chain),
]
