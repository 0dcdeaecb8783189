"""The Celery app. Messages only wake workers up: what is to be done stands in the database."""

import os
import sys
from typing import Any

from celery import Celery, signals
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cartsync.settings")

TRANSPORT_ALIASES["inprocess"] = "cartsync.broker:Transport"
app = Celery("cartsync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add("cartsync.bell:Step")
# Celery's own way closes every connection before and after each task, and a task then waits longer for a new one than
# for its work. CONN_MAX_AGE and CONN_HEALTH_CHECKS hold for workers as for the web.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


@signals.task_prerun.connect
@signals.task_postrun.connect
def look_after_connections(**_: Any) -> None:
    from django.db import close_old_connections  # not before Django is set up

    close_old_connections()
