"""What every test may ask for: throw-away servers, the facts folder, a browser, the panel on a socket."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from tools import needs, testservers
from tools.runtests import WITHOUT_DATABASE

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_ARGUMENTS = [
    # Chromium's own errands to the outside, none of which a test wants.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]


def lacking(what: str) -> None:
    """Skip, saying what is not proven; where nothing may be left out (CI), fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """A test database for this run alone. SQLite's lies in a file: one in memory has a single connection."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    else:
        database["TEST"]["NAME"] = f"test_cartsync_{os.getpid()}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded bodies and contracts that lies beside a checkout, or at CARTSYNC_SHARED."""
    folder = Path(os.environ.get("CARTSYNC_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"No folder {folder}: not proven against the recorded bodies and the contracts.")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL for the whole run; its `postgres` database is empty."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    try:
        with testservers.postgres() as url:
            yield url
    except testservers.Missing as missing:
        lacking(str(missing))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis for the whole run. To stop and start one, take `redis_server`."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    try:
        with testservers.Redis() as server:
            yield server.url
    except testservers.Missing as missing:
        lacking(str(missing))


@pytest.fixture
def redis_server() -> Iterator[testservers.Redis]:
    """A Redis of the test's own, started; `.stop()` and `.start()` restart it on the same port."""
    try:
        with testservers.Redis() as server:
            yield server
    except testservers.Missing as missing:
        lacking(str(missing))


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    program = needs.browser_program()
    if program is None:
        lacking("Chromium is missing. Run make test once, or: apt install chromium")
    # Playwright keeps an event loop in this thread, which Django takes for a coroutine that must not query.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, request):
    """A fresh page; when the test fails, what it showed last is kept in var/screenshots."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    if getattr(request.node, "failed", False):
        save_screenshot(page, f"failed-{request.node.name}")
    context.close()


def pytest_collection_modifyitems(items):
    """These run once for both databases, so none of them may need one."""
    folders = tuple(str(ROOT / folder) + os.sep for folder in WITHOUT_DATABASE)
    for item in items:
        needs_one = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(item.fixturenames)
        if str(item.path).startswith(folders) and needs_one:
            raise pytest.UsageError(f"{item.nodeid} asks for a database, but lies in a folder that runs without one.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        item.failed = True
    return report


def save_screenshot(page, name: str) -> Path:
    """Keep what `page` shows as var/screenshots/NAME.png."""
    path = ROOT / "var" / "screenshots" / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    return path


@pytest.fixture
def staff(db):
    """A member of staff who may do everything; the password is "staff-password"."""
    return get_user_model().objects.create_superuser("staff", "staff@example.test", "staff-password")


@pytest.fixture
def live_panel(live_server, staff, page):
    """The panel on a real socket, and `page` signed in to it; gives the address without a closing slash."""
    page.goto(f"{live_server.url}/login/")
    page.fill("input[name=username]", "staff")
    page.fill("input[name=password]", "staff-password")
    page.click("button[type=submit]")
    page.wait_for_url(f"{live_server.url}/")
    return live_server.url
