"""The real set-up, for real: the Procfile's gunicorn, Celery worker and beat, on PostgreSQL and Redis."""

import os
import re
import secrets
import shlex
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import requests
from celery import Celery
from cryptography.fernet import Fernet

from tools import testservers

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 60
pytestmark = pytest.mark.kill


@pytest.fixture
def database_url(postgres_url):
    """An empty database of the test's own."""
    name = f"real_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_url.rpartition("/")[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def broker_url(redis_url):
    """Another of its numbered databases, so that no other test's wake-ups are heard."""
    return f"{redis_url.rpartition('/')[0]}/5"


@pytest.fixture
def environment(tmp_path, database_url, broker_url):
    """Only an .env file: nothing of the environment that the tests themselves run in."""
    env_file = tmp_path / ".env"
    env_file.write_text(
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"CREDENTIALS_KEY={Fernet.generate_key().decode()}\n"
        f"DATABASE_URL={database_url}\n"
        f"REDIS_URL={broker_url}\n"
        "ALLOWED_HOSTS=127.0.0.1\n"
        "BEHIND_PROXY=true\n"
        "CSRF_TRUSTED_ORIGINS=https://127.0.0.1\n"
        "TICK_SECONDS=0.5\n"
        f"VAR_DIR={tmp_path / 'var'}\n"
        f"STATIC_ROOT={tmp_path / 'static'}\n"
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "CARTSYNC_ENV_FILE": str(env_file), "PYTHONUNBUFFERED": "1"}


def manage(environment, *args):
    subprocess.run([sys.executable, "manage.py", *args], cwd=ROOT, env=environment, check=True)


@pytest.fixture
def running(environment, broker_url, tmp_path):
    """Every line of the Procfile as a process, at work; gives the panel's port."""
    manage(environment, "migrate", "-v0")
    manage(environment, "collectstatic", "--noinput", "-v0")
    manage({**environment, "DJANGO_SUPERUSER_PASSWORD": "staff-password"}, "createsuperuser", "--noinput",
           "--username", "staff", "--email", "staff@example.test", "-v0")  # fmt: skip
    port = testservers.free_port()
    processes = []
    try:
        for line in (ROOT / "Procfile").read_text().splitlines():
            name, _, command = line.partition(": ")
            arguments = shlex.split(command.replace("${PORT:-8000}", str(port)))
            with (tmp_path / f"{name}.log").open("wb") as log:
                processes.append(subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=log, stderr=log))
        wait_for("gunicorn answers", lambda: status_of_login(port) is not None)
        # Sent by beat, done by the worker.
        wait_for("the worker did a tick", lambda: ticks_done(broker_url) > 0)
        yield port
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(timeout=PATIENCE_SECONDS) for process in processes]
    assert codes == [0, 0, 0]


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"Not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.1)


def status_of_login(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/login/", allow_redirects=False, timeout=5).status_code
    except (requests.ConnectionError, requests.Timeout):  # not listening yet, or still loading on a busy machine
        return None


def ticks_done(broker_url):
    workers = Celery(broker=broker_url).control.inspect(timeout=1).stats() or {}
    return sum(worker["total"].get("carts.tasks.tick", 0) for worker in workers.values())


def test_staff_sign_in_behind_a_proxy_while_the_tick_runs(running):
    port = running
    address = f"http://127.0.0.1:{port}"
    bare = requests.get(f"{address}/login/", allow_redirects=False, timeout=30)
    assert (bare.status_code, bare.headers["Location"]) == (301, f"https://127.0.0.1:{port}/login/")

    browser = requests.Session()
    # What a proxy that ended TLS would say.
    browser.headers.update({"X-Forwarded-Proto": "https", "Referer": f"https://127.0.0.1:{port}/login/"})
    form = browser.get(f"{address}/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)[1]
    style = re.search(r'href="(/static/[^"]+\.css)"', form.text)[1]
    assert browser.get(address + style, timeout=30).headers["Cache-Control"].endswith("immutable")
    # The cookies are for HTTPS alone, which this client does not speak, so they are carried by hand.
    cookie = form.headers["Set-Cookie"].split(";")[0]
    answer = browser.post(
        f"{address}/login/?next=/",
        data={"username": "staff", "password": "staff-password", "csrfmiddlewaretoken": token},
        headers={"Cookie": cookie},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 302, answer.text
    session = re.search(r"cartsync_session=[^;]+", answer.headers["Set-Cookie"])[0]
    page = browser.get(f"{address}/", headers={"Cookie": session}, allow_redirects=False, timeout=30)
    assert page.status_code == 200
    assert "staff" in page.text
