"""The chart of accounts that postings stand on."""

from typing import Any

from django.apps import apps as installed_apps
from django.apps.config import AppConfig
from django.apps.registry import Apps

from backoffice.choices import AccountCode


def ensure_chart(sender: AppConfig, using: str = "default", apps: Apps = installed_apps, **signal: Any) -> None:
    """Make the accounts that are missing, leave those that are there. Runs after every migrate and every flush; a
    data migration would leave a flushed database without them."""
    try:
        account = apps.get_model("backoffice", "Account")
    except LookupError:
        # Migrated back to before this table.
        return
    account.objects.using(using).bulk_create(
        [account(code=code.value, name=code.label, kind=code.kind) for code in AccountCode], ignore_conflicts=True
    )
