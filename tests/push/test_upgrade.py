"""A cart whose switch was on while it did nothing must not begin to overwrite the shop with an upgrade."""

from importlib import import_module

from django.apps import apps

from tests.engine.helpers import fresh


def test_the_upgrade_switches_stock_off_for_everybody(cart):
    import_module("carts.migrations.0004_stock_begins_switched_off").switch_off(apps, None)
    assert not fresh(cart).to_stock_updates
