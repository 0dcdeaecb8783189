import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Serve the panel and do the background work, in one process, until Ctrl-C."
    requires_migrations_checks = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--web-threads", type=int, default=8)
        parser.add_argument("--worker-threads", type=int, default=4)

    def handle(self, *args: Any, **options: Any) -> None:
        # The web application and the worker load everything: not for the sake of a --help.
        from cartsync.embedded import Embedded

        host, port = options["host"], options["port"]
        try:
            embedded = Embedded(host, port, options["web_threads"], options["worker_threads"])
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from error
        address = f"http://{host}:{embedded.web.effective_port}/"
        sys.exit(embedded.run(lambda: self.stdout.write(f"CartSync answers at {address}")))
