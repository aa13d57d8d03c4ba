"""Addresses of the desk."""

from django.urls import path

from orders.views import (
    alarms,
    controls,
    deciding,
    desk,
    exits,
    frame,
    gate,
    ladders,
    modes,
    sets,
    ticket,
)

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("desk/broadcasts/", desk.broadcasts, name="broadcasts"),
    path("desk/fleet/", frame.fleet, name="fleet"),
    path("desk/ticket/", ticket.ticket, name="ticket"),
    path("desk/review/", ticket.review, name="review"),
    path("desk/send/", ticket.send, name="send"),
    path("desk/unknown/", deciding.unknown_orders, name="unknown-orders"),
    path("desk/unknown/<uuid:child_id>/", deciding.unknown_order, name="unknown-order"),
    path("desk/unknown/<uuid:child_id>/ours/<str:number>/", deciding.ours, name="unknown-ours"),
    path("desk/unknown/<uuid:child_id>/none/", deciding.none_is_ours, name="unknown-none"),
    path("desk/sets/", sets.sets, name="sets"),
    path("desk/sets/<int:set_id>/", sets.placed_set, name="set"),
    path("desk/sets/<int:set_id>/exit/", exits.exit_set, name="exit"),
    path("desk/sets/<int:set_id>/exit/terms/", exits.exit_terms, name="exit-terms"),
    path("desk/sets/<int:set_id>/<int:step_id>/retry/", exits.retry, name="exit-retry"),
    path("desk/sets/<int:set_id>/<int:step_id>/chase/", exits.chase, name="exit-chase"),
    path("desk/sets/<int:set_id>/<int:step_id>/handled/", exits.handled, name="exit-handled"),
    path("desk/orders/<int:order_id>/cancel/", controls.cancel, name="cancel"),
    path("desk/orders/<int:order_id>/replace/", controls.replace, name="replace"),
    path("desk/orders/<int:order_id>/retry/", controls.retry, name="retry"),
    path("desk/orders/<int:order_id>/ladder/", ladders.ladder, name="ladder"),
    path("desk/orders/<int:order_id>/ladder/stop/", ladders.stop, name="ladder-stop"),
    path("desk/close-everything/", controls.everything, name="close-everything"),
    path("desk/alarms/", alarms.alarms, name="alarms"),
    path("desk/alarms/<int:alarm_id>/seen/", alarms.acknowledge_alarm, name="acknowledge"),
    path("desk/gate/", gate.gate, name="gate"),
    path("desk/modes/", modes.modes, name="modes"),
    path("desk/freeze/", modes.freeze, name="freeze"),
]
