"""The HTTP server under every practice shop.

The standard library's threading server, because the faults need the socket itself: a reset, half a body, no
answer at all. An answer leaves in one send with TCP_NODELAY set, so no delayed acknowledgement slows a reader.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import traceback
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Protocol

from sandbox import control
from sandbox.faults import Fault, Faults
from sandbox.messages import Received, Request, Response, html_response, json_response, received
from sandbox.shop import Shop

# Beyond this the oldest lines of the request log are dropped.
LOG_LENGTH = 20_000
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Platform(Protocol):
    """What a platform gives the server: answers, and its own way to say no."""

    shop: Shop

    @property
    def address(self) -> str:
        """What staff enter as Cart Connect URL."""
        ...

    @property
    def credentials(self) -> dict[str, str]:
        """What staff enter as credentials, by the names of the adapter's fields."""
        ...

    def handle(self, request: Request) -> Response: ...

    def refusal(self, status: int) -> Response: ...


class ConnectionLost(Exception):
    """The fault that struck leaves nothing to answer."""


class PracticeServer:
    """A shop listening on 127.0.0.1. `latency` in seconds is added to every answer."""

    def __init__(self, shop: Shop, platform: Platform, port: int = 0, latency: float = 0.0) -> None:
        self.shop = shop
        self.platform = platform
        self.latency = latency
        self.faults = Faults()
        self.requests: deque[Received] = deque(maxlen=LOG_LENGTH)
        self.stopping = Event()
        self.connections_opened = 0
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        self._http = _Listener(("127.0.0.1", port), self)
        self.url = shop.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def serve(self) -> None:
        """Answer until `stop`; blocks."""
        self._http.serve_forever(poll_interval=0.05)

    def start(self) -> None:
        Thread(target=self.serve, name="practice-shop", daemon=True).start()

    def stop(self) -> None:
        """Close the listening socket and every open connection."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
            self.connections_opened += 1

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def answer(self, request: Request) -> tuple[Response, list[Fault]]:
        """The response and the faults that struck. Raises ConnectionLost when there is none to send."""
        if request.path.startswith("/_practice") and request.is_local:
            return control.handle(self, request), []
        try:
            faults = self.faults.take(request)
        except ValueError as unknown:
            return json_response({"error": str(unknown)}, 400), []
        try:
            response = self._answer_with(request, faults)
        except ConnectionLost:
            self._log(request, 0, faults)
            raise
        except Exception:
            # A broken shop answers as a broken WordPress does, and its reason goes to the terminal.
            traceback.print_exc()
            response = self.platform.refusal(500)
        self._log(request, response.status, faults)
        return response, faults

    def _log(self, request: Request, status: int, faults: list[Fault]) -> None:
        self.requests.append(received(request, status, [fault.kind for fault in faults], self.shop.clock.now()))

    def _answer_with(self, request: Request, faults: list[Fault]) -> Response:
        kinds = {fault.kind: fault for fault in faults}
        self.stopping.wait(self.latency + sum(f.seconds for f in faults if f.kind == "latency"))
        for fault in faults:
            instead = self._instead(fault)
            if instead is not None:
                return instead
        lost = kinds.get("timeout") or kinds.get("reset")
        if lost is None or lost.processed:
            response = self._processed(request, faults)
        if lost is not None:
            if lost.kind == "timeout":
                self.stopping.wait(lost.seconds)
            raise ConnectionLost(lost.kind)
        return response

    def _instead(self, fault: Fault) -> Response | None:
        if fault.kind in ("401", "500"):
            return self.platform.refusal(int(fault.kind))
        if fault.kind == "429":
            wait = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
            return html_response(_HTML.format("429 Too Many Requests"), 429, wait)
        if fault.kind in ("html200", "html503"):
            title = "Just a moment..." if fault.kind == "html200" else "503 Service Unavailable"
            return html_response(_HTML.format(title), int(fault.kind[-3:]))
        if fault.kind == "redirect":
            to = fault.to or self.url + "/moved/"
            return html_response(_HTML.format("301 Moved Permanently"), 301, [("Location", to)])
        return None

    def _processed(self, request: Request, faults: list[Fault]) -> Response:
        """The platform's answer, with the shop's life around it going on as the faults say."""
        with self.shop.lock:
            second = self.shop.clock.now()
            for fault in faults:
                if fault.kind == "same_second":
                    self.shop.place_in_same_second(fault.count - fault.count // 2, second)
            response = self.platform.handle(request)
            for fault in faults:
                if fault.kind == "same_second":
                    self.shop.place_in_same_second(fault.count // 2, second)
                elif fault.kind == "late_commit":
                    for _ in range(fault.count):
                        self.shop.commit_late(int(fault.seconds))
                elif fault.kind == "rows_move":
                    self.shop.touch_rows(response.listed_kind, response.listed[: fault.count])
        return response


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], practice: PracticeServer) -> None:
        self.practice = practice
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.practice.opened(self.connection)

    def finish(self) -> None:
        self.server.practice.closed(self.connection)
        super().finish()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        request = Request(self.command, self.path, self.headers, body, self.client_address[0])
        try:
            response, faults = self.server.practice.answer(request)
        except ConnectionLost as lost:
            self._drop(resets=str(lost) == "reset")
            return
        self._send(response, is_cut=any(fault.kind == "truncated" for fault in faults))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _send(self, response: Response, is_cut: bool) -> None:
        reason = self.responses.get(response.status, ("",))[0]
        date = self.date_time_string(int(self.server.practice.shop.clock.now().timestamp()))
        lines = [
            f"HTTP/1.1 {response.status} {reason}",
            "Server: practice-shop",
            f"Date: {date}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers),
        ]
        if is_cut:
            self.close_connection = True
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        body = b"" if self.command == "HEAD" else response.body
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.sendall(head + (body[: len(body) // 2] if is_cut else body))

    def _drop(self, resets: bool) -> None:
        self.close_connection = True
        if resets:
            # Lingering for no time at all makes close() send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """The request log is `PracticeServer.requests`; the terminal stays quiet."""
