from django.db import migrations, models

EVENTS, SEALS = "accounts_auditevent", "accounts_auditseal"
REFUSAL = "The record is append-only."

SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change_of_record() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '{refusal}'; END $$ LANGUAGE plpgsql
"""
POSTGRESQL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record()
"""
VERBS = {"sqlite": ("UPDATE", "DELETE"), "postgresql": ("UPDATE", "DELETE", "TRUNCATE")}


def protect(apps, schema_editor):
    """Let the database itself refuse to change the record."""
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_FUNCTION.format(refusal=REFUSAL))
    for table, verb, statement in _triggers(vendor):
        schema_editor.execute(
            statement.format(table=table, verb=verb.lower(), VERB=verb, refusal=REFUSAL)
        )


def unprotect(apps, schema_editor):
    """Take the triggers away."""
    vendor = schema_editor.connection.vendor
    for table, verb, _ in _triggers(vendor):
        on = f" ON {table}" if vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb.lower()}{on}")


def _triggers(vendor):
    statement = POSTGRESQL if vendor == "postgresql" else SQLITE
    return [(table, verb, statement) for table in (EVENTS, SEALS) for verb in VERBS[vendor]]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_logins_that_stay_alive")]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="address",
            field=models.CharField(blank=True, max_length=45),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="session",
            field=models.CharField(blank=True, max_length=12),
        ),
        # Nothing was sealed before: there are no rows.
        migrations.AddField(
            model_name="auditseal",
            name="number",
            field=models.PositiveBigIntegerField(default=0, unique=True),
            preserve_default=False,
        ),
        migrations.RunPython(protect, unprotect),
    ]
