"""Make placed order sets of what was filled before there were any."""

from django.db import migrations
from django.utils import timezone


def make_sets(apps, schema_editor):
    """Make one per broadcast with fills that has none, with its event, as keep_sets() does."""
    ComplexOrder = apps.get_model("orders", "ComplexOrder")
    PlacedOrderSet = apps.get_model("orders", "PlacedOrderSet")
    AuditEvent = apps.get_model("accounts", "AuditEvent")
    filled = ComplexOrder.objects.filter(
        purpose="OPEN", placed_order_set__isnull=True, children__legs__filled__gt=0
    )
    ids = sorted(set(filled.values_list("pk", flat=True)))
    sets = PlacedOrderSet.objects.bulk_create(PlacedOrderSet(order_id=pk) for pk in ids)
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=timezone.now(),
            subject=f"placedorderset:{one.pk}",
            kind="set",
            new="OPEN",
            actor="migration",
            data={"order": one.order_id},
        )
        for one in sets
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_positions_at"),
        ("orders", "0003_exits"),
    ]

    operations = [migrations.RunPython(make_sets, migrations.RunPython.noop)]
