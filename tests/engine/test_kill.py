"""A killed process loses and doubles nothing: real workers, a real beat, a real Redis and a real PostgreSQL.

What is killed is killed when a page has just been asked for: the page before it is being written then.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from carts.choices import ACTIVE_RUN_STATES
from carts.models import Run
from carts.services import control
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    connected_cart,
    documents,
    elsewhere,
    feed_of,
    fresh,
    know_the_items,
    wait_until,
)
from tests.platforms.around import around, at_request
from tools import testservers

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 450
pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


class Processes:
    """Real processes of the project on this test's own database; all of them end with the test."""

    COMMANDS = {
        "worker": ["-m", "celery", "-A", "cartsync", "worker", "--pool", "threads", "--concurrency", "4"],
        "beat": ["-m", "celery", "-A", "cartsync", "beat"],
        "serve": ["manage.py", "serve"],
    }

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen] = {}
        self._environment = {
            "PATH": os.environ["PATH"],
            "CARTSYNC_ENV_FILE": os.devnull,
            "SECRET_KEY": os.environ["SECRET_KEY"],
            "CREDENTIALS_KEY": os.environ["CREDENTIALS_KEY"],
            "DATABASE_URL": database_url(),
            "HTTPS": "false",
            "TICK_SECONDS": "0.3",
            # Short, so that a killed worker's work is soon taken over.
            "LEASE_SECONDS": "4",
            "VAR_DIR": str(folder),
            **settings,
        }

    def start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, *self.COMMANDS[name], *arguments],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """SIGKILL: nothing of it is tidied up."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        for name in list(self._running):
            self.kill(name)

    def logs(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in sorted(self._folder.glob("*.log")))


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(orders=ORDERS, customers=20, products=30, lines=2) as place:
        yield place


@pytest.fixture
def cart(place):
    """RUNNING, and polled one page at a time; nobody works on it yet."""
    know_the_items(place)
    cart = connected_cart(place, requests_in_flight=1, poll_interval_seconds=5)
    control.start(cart, "staff", without_rehearsal=True)
    return fresh(cart)


@pytest.fixture
def processes(tmp_path, redis_server) -> Iterator[Processes]:
    """A worker and a beat over a Redis of their own."""
    processes = Processes(tmp_path, REDIS_URL=redis_server.url)
    processes.start("worker")
    processes.start("beat")
    yield processes
    processes.kill_all()


def nobody_is_at_work() -> bool:
    return not Run.objects.filter(state__in=ACTIVE_RUN_STATES).exists()


def assert_ends_well(place, cart, processes: Processes) -> None:
    """All there was arrives, then what is placed now; nothing is lost or doubled, no run is at work for ever."""
    try:
        wait_until(lambda: len(documents(cart)) == len(place.shop.orders.rows), seconds=90)
        place.shop.place_order()
        wait_until(lambda: len(documents(cart)) == len(place.shop.orders.rows), seconds=90)
        wait_until(nobody_is_at_work)
    except AssertionError:
        raise AssertionError(f"{len(documents(cart))} documents\n{processes.logs()}") from None
    assert_none_lost_none_doubled(place, cart)
    wait_until(lambda: feed_of(cart).error == "")


def test_a_worker_killed_while_it_writes_a_page(cart, place, processes):
    def kill_and_start_anew() -> None:
        processes.kill("worker")
        processes.start("worker")

    with around(place, before=at_request(2, kill_and_start_anew)):
        wait_until(lambda: len(place.requests) > 3)
    # Its successor, too, with what the first one left.
    with around(place, before=at_request(2, kill_and_start_anew)):
        assert_ends_well(place, cart, processes)


def test_redis_restarted_in_the_middle_of_a_run(cart, place, processes, redis_server):
    """With a single thread, so that further wake-ups lie with the worker, taken but not begun."""
    processes.kill("worker")
    processes.start("worker", "--concurrency", "1")

    def restart() -> None:
        redis_server.stop()
        redis_server.start()

    with around(place, before=at_request(3, restart)):
        assert_ends_well(place, cart, processes)


def test_beat_killed_and_started_anew(cart, place, processes):
    with around(place, before=at_request(2, lambda: processes.kill("beat"))):
        wait_until(lambda: len(documents(cart)) == ORDERS)
    processes.start("beat")
    assert_ends_well(place, cart, processes)


def test_the_database_crashes_in_the_middle_of_a_poll(cart, place, processes):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could crash.")

    def crash() -> None:
        """A backend that dies by SIGKILL makes PostgreSQL drop every connection and recover from its log."""

        def kill_backend() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                os.kill(cursor.fetchone()[0], signal.SIGKILL)

        elsewhere(kill_backend)

    with around(place, before=at_request(3, crash)):
        wait_until(lambda: len(place.requests) > 3)
    connection.close()
    wait_until(database_answers)
    assert_ends_well(place, cart, processes)


def database_answers() -> bool:
    try:
        connection.ensure_connection()
    except Exception:
        return False
    return True


def test_the_one_process_of_the_embedded_set_up_killed_and_started_anew(cart, place, tmp_path):
    """No Redis and no beat of its own: what was in memory is lost, and nothing of it mattered."""
    processes = Processes(tmp_path)
    port = str(testservers.free_port())
    processes.start("serve", "--port", port)

    def kill_and_start_anew() -> None:
        processes.kill("serve")
        processes.start("serve", "--port", port)

    try:
        with around(place, before=at_request(3, kill_and_start_anew)):
            assert_ends_well(place, cart, processes)
    finally:
        processes.kill_all()
