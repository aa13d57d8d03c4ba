"""Addresses of the desk."""

from django.urls import path

from orders.views import alarms, deciding, desk, frame, gate, modes

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("desk/broadcasts/", desk.broadcasts, name="broadcasts"),
    path("desk/fleet/", frame.fleet, name="fleet"),
    path("desk/ticket/", desk.ticket, name="ticket"),
    path("desk/review/", desk.review, name="review"),
    path("desk/send/", desk.send, name="send"),
    path("desk/unknown/", deciding.unknown_orders, name="unknown-orders"),
    path("desk/unknown/<uuid:child_id>/", deciding.unknown_order, name="unknown-order"),
    path("desk/unknown/<uuid:child_id>/ours/<str:number>/", deciding.ours, name="unknown-ours"),
    path("desk/unknown/<uuid:child_id>/none/", deciding.none_is_ours, name="unknown-none"),
    path("desk/alarms/", alarms.alarms, name="alarms"),
    path("desk/alarms/<int:alarm_id>/seen/", alarms.acknowledge_alarm, name="acknowledge"),
    path("desk/gate/", gate.gate, name="gate"),
    path("desk/modes/", modes.modes, name="modes"),
    path("desk/freeze/", modes.freeze, name="freeze"),
]
