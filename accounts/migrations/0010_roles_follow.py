import accounts.models.users
from django.db import migrations, models
from django.db.models import Q


def follow_roles(apps, schema_editor):
    """Make superusers the admins that they were in effect, and let the flags follow the roles."""
    users = apps.get_model("accounts", "User").objects
    users.filter(is_superuser=True).update(role="ADMIN")
    users.filter(role="ADMIN").update(is_staff=True, is_superuser=False)
    users.exclude(role="ADMIN").update(is_staff=False, is_superuser=False)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_answered_calls")]

    operations = [
        migrations.AlterModelManagers(
            name="user", managers=[("objects", accounts.models.users.People())]
        ),
        migrations.RunPython(follow_roles, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=Q(role="ADMIN", is_staff=True) | Q(~Q(role="ADMIN"), is_staff=False),
                name="staff_are_the_admins",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=Q(is_superuser=False), name="nobody_is_superuser"
            ),
        ),
    ]
