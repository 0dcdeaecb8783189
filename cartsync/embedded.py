"""Web, worker and beat as threads of one process: the embedded set-up."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from celery.beat import Service
from celery.worker import WorkController, state
from waitress.server import create_server

from cartsync.celery import app
from cartsync.wsgi import application

log = logging.getLogger(__name__)
# Work still going on after this is left: its lease expires and it resumes with the next start.
STOP_SECONDS = 8


class Embedded:
    """Holds the port from the moment it is made; `run` serves until SIGINT or SIGTERM.

    Raises OSError where the port is taken.
    """

    def __init__(self, host: str, port: int, web_threads: int, worker_threads: int) -> None:
        self.web = create_server(application, host=host, port=port, threads=web_threads)
        self.ready = threading.Event()
        self.stopping = threading.Event()
        self.exit_code = 0
        self.worker = WorkController(
            app=app,
            pool="threads",
            concurrency=worker_threads,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            ready_callback=lambda consumer: self.ready.set(),
        )
        # A short interval, so that the thread soon sees that it is to end.
        self.beat = Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)
        self.threads = [self._thread("worker", self.worker.start), self._thread("beat", self.beat.start)]

    def run(self, when_ready: Callable[[], None]) -> int:
        """Serve until told to stop; returns the exit code: 0 after a signal, 1 if a part ended by itself."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            for thread in self.threads:
                thread.start()
            self.ready.wait()
            when_ready()
            self.web.run()
        except SystemExit:
            pass
        self._stop()
        return self.exit_code

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                target()
            finally:
                # A panel that answers while nothing is synchronised would look well: end as a whole instead.
                if not self.stopping.is_set():
                    log.critical("The %s ended by itself, so everything ends.", name)
                    self.exit_code = 1
                    os.kill(os.getpid(), signal.SIGTERM)

        return threading.Thread(target=guarded, name=name, daemon=True)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        raise SystemExit

    def _stop(self) -> None:
        state.should_stop = 0
        self.beat.stop()
        for thread in self.threads:
            thread.join(STOP_SECONDS)
        if any(thread.is_alive() for thread in self.threads):
            log.warning("Work in flight was left. It resumes after the next start, when its lease has expired.")
            sys.stdout.flush()
            # The interpreter would wait for the pool's threads however long their work takes.
            os._exit(self.exit_code)
