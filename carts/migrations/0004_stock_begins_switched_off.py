"""Until now the switch was saved and did nothing. Nobody rehearsed what it does now, so nobody is surprised by it."""

from typing import Any

from django.db import migrations


def switch_off(apps: Any, schema_editor: Any) -> None:
    apps.get_model("carts", "Cart").objects.filter(to_stock_updates=True).update(to_stock_updates=False)


class Migration(migrations.Migration):
    dependencies = [("carts", "0003_stock_to_cart")]

    operations = [migrations.RunPython(switch_off, migrations.RunPython.noop)]
