"""Indexes for a million account orders, and fewer of them where broadcasts are written."""

import django.db.models.deletion
import orders.models.ids
from django.conf import settings
from django.db import migrations, models


def without_index(model, field, kept, index):
    """Return the step that drops the index of a foreign key, without writing its table anew."""
    table = f"orders_{model}"
    return migrations.SeparateDatabaseAndState(
        state_operations=[migrations.AlterField(model, field, kept)],
        database_operations=[
            migrations.RunSQL(
                f"DROP INDEX IF EXISTS {table}_{field}_id_{index}",
                f"CREATE INDEX {table}_{field}_id_{index} ON {table} ({field}_id)",
            )
        ],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_indexes_of_scale"),
        ("orders", "0006_history_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Their numbers are in order from now on; nothing changes in the database.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "accountorder",
                    "id",
                    models.UUIDField(
                        primary_key=True,
                        default=orders.models.ids.new_id,
                        editable=False,
                        serialize=False,
                    ),
                )
            ]
        ),
        without_index(
            "accountorderleg",
            "child",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="legs",
                to="orders.accountorder",
            ),
            "f2713f6c",
        ),
        without_index(
            "orderleg",
            "order",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="legs",
                to="orders.complexorder",
            ),
            "c30b5f7b",
        ),
        without_index(
            "legfill",
            "leg",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="fills",
                to="orders.accountorderleg",
            ),
            "6496e0fa",
        ),
        without_index(
            "externalorder",
            "account",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="external_orders",
                to="accounts.account",
            ),
            "ac9425a2",
        ),
        without_index(
            "complexorder",
            "agent",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                to=settings.AUTH_USER_MODEL,
            ),
            "a7db56df",
        ),
        migrations.RemoveIndex(model_name="accountorder", name="children_by_status"),
        migrations.RemoveIndex(model_name="accountorder", name="children_figures"),
        migrations.AddIndex(
            model_name="accountorder",
            index=models.Index(
                fields=["status", "deadline_at", "order"], name="children_by_status"
            ),
        ),
        migrations.AddIndex(
            model_name="accountorder",
            index=models.Index(
                fields=["order", "status", "filled", "net_price", "account"],
                name="children_figures",
            ),
        ),
        migrations.AddIndex(
            model_name="complexorder",
            index=models.Index(fields=["last_sent_at"], name="orders_by_last_send"),
        ),
        migrations.AddIndex(
            model_name="placedorderset",
            index=models.Index(fields=["flat_at"], name="sets_by_flat_at"),
        ),
    ]
