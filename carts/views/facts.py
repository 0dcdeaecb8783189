"""Settings: what this installation runs on. Read-only; it is changed in the environment."""

import platform
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from carts.views.frame import panel, render


@panel
def show(request: HttpRequest) -> HttpResponse:
    return render(request, "carts/settings.html", "Settings", facts=_facts())


def _facts() -> list[tuple[str, Any, str]]:
    """Label, value, what it means. No address here carries its user or password."""
    keys = len(settings.CREDENTIALS_KEYS)
    broker = "Redis" if settings.REDIS_URL else "In memory"
    return [
        ("Set-up", "Embedded" if settings.EMBEDDED else "Server", "One process with SQLite, or web, workers and beat."),
        ("Database", f"{connection.display_name} {_database_version()}", ""),
        ("Broker", broker, "It carries wake-ups only: losing it loses no work."),
        ("Keys for credentials", f"{keys} present", "The first encrypts, every one decrypts."),
        ("Tick", f"every {settings.TICK_SECONDS:g} seconds", "How often due work is looked for."),
        ("HTTPS", "On" if settings.HTTPS else "Off", ""),
        (
            "Public address",
            settings.PUBLIC_URL or "Not set",
            "Where shops send their webhooks.",
        ),
        ("E-mail", settings.EMAIL_BACKEND.rsplit(".", 2)[-2], f"Sent as {settings.DEFAULT_FROM_EMAIL}."),
        ("Time zone of the server", settings.TIME_ZONE, "Each cart shows its shop's own."),
        (
            "Versions",
            f"Python {platform.python_version()}, Django {django.__version__}, Celery {version('celery')}",
            "",
        ),
    ]


def _database_version() -> str:
    numbers = connection.Database.sqlite_version_info if connection.vendor == "sqlite" else None
    if numbers is None:
        number = connection.pg_version
        numbers = (number // 10000, number % 10000)
    return ".".join(str(number) for number in numbers)
