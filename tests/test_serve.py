"""`manage.py serve`: one process that answers, works and ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.kill


def manage(environment: dict[str, str], *args: str) -> None:
    subprocess.run([sys.executable, "manage.py", *args], cwd=ROOT, env=environment, check=True)


@pytest.fixture
def embedded_environment(tmp_path):
    """An embedded set-up of its own: SQLite, in-memory broker, keys made on first use."""
    ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIALS_KEY", "HTTPS", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"VAR_DIR": str(tmp_path), "CARTSYNC_ENV_FILE": os.devnull}
    manage(environment, "migrate", "-v0")
    return environment


def start_serving(environment):
    command = [sys.executable, "manage.py", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line.startswith("CartSync answers at http://127.0.0.1:"), line
    return process, line.split()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_answers_and_ends_cleanly_on_a_signal(embedded_environment, number):
    process, address = start_serving(embedded_environment)
    try:
        page = requests.get(address, timeout=30)
        assert (page.status_code, page.url) == (200, f"{address}login/?next=/")
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.stdout.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)


def test_a_taken_port_is_said_in_a_sentence(embedded_environment):
    process, address = start_serving(embedded_environment)
    port = address.rstrip("/").rpartition(":")[2]
    try:
        second = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", port],
            cwd=ROOT,
            env=embedded_environment,
            capture_output=True,
            text=True,
        )
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
    assert second.returncode == 1
    assert f"Port {port} cannot be used (Address already in use)." in second.stderr


def test_keys_are_made_once_and_readable_by_their_owner_only(embedded_environment, tmp_path):
    made = tmp_path / "secret.env"
    first = made.read_text()
    manage(embedded_environment, "check")
    assert made.read_text() == first
    assert made.stat().st_mode & 0o777 == 0o600
