"""`make run`: prepare the embedded set-up, then run CartSync and a practice shop of every platform until Ctrl-C."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from carts.platforms import platforms
from sandbox.platforms import PLATFORMS

START_SECONDS = 60
STOP_SECONDS = 20
WELCOME = """
  CartSync        {panel}
  Sign in         demo / demo
  Practice shops  (servers of their own; a new order every 20 seconds in each)
{shops}

  Try this: open Carts, then "Demo WooCommerce". Click Test Connection, then Rehearse, then Start,
  and watch the orders arrive under Orders.   Ctrl-C ends everything; your data stays in var/.
"""
# The platforms that have a practice shop, in the registry's order.
LABELS = {name: label for name, label in platforms() if name in PLATFORMS}


class Stop(Exception):
    """Somebody asked for the end."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--shop-port", type=int, required=True)
    options = parser.parse_args()
    ports = {name: options.shop_port + number for number, name in enumerate(LABELS)}
    if told := taken(options.port, ports):
        print(*told, sep="\n")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    # The practice shops send their webhooks there; see sandbox/README.md for having one sent.
    os.environ.setdefault("PUBLIC_URL", address(options.port))
    processes: list[subprocess.Popen] = []
    Path("var").mkdir(exist_ok=True)
    try:
        # The shops take a moment to fill; meanwhile the database is made ready.
        processes += [start_shop(name, port) for name, port in ports.items()]
        shops = [f"--shop={name}={address(port)}" for name, port in ports.items()]
        for command in (["migrate", "--verbosity", "0"], ["load_demo", *shops]):
            subprocess.run([sys.executable, "manage.py", *command], check=True)
        processes.append(start("manage.py", "serve", "--port", str(options.port)))
        wait_until_all_answer(processes, options.port, *ports.values())
        print(welcome(options.port, ports), flush=True)
        return watch(processes)
    except Stop:
        return 0
    except subprocess.CalledProcessError as error:
        print(f"Nothing was started: {' '.join(error.cmd[1:3])} failed; its message stands above.")
        return 1
    finally:
        end(processes)


def taken(port: int, shops: dict[str, int]) -> list[str]:
    """One sentence for every port that somebody else has."""
    told = []
    if accepts(port):
        told.append(f"Port {port}, for CartSync, is in use. Choose another: make run PORT={port + 100}")
    first = min(shops.values())
    for name, each in shops.items():
        if accepts(each):
            told.append(
                f"Port {each}, for the practice {LABELS[name]}, is in use. The {len(shops)} shops take ports from "
                f"SHOP_PORT on: make run SHOP_PORT={first + 100}"
            )
    return told


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def welcome(panel: int, shops: dict[str, int]) -> str:
    width = max(map(len, LABELS.values()))
    lines = [f"    {LABELS[name]:<{width}}  {address(port)}" for name, port in shops.items()]
    return WELCOME.format(panel=address(panel), shops="\n".join(lines))


def start_shop(platform: str, port: int) -> subprocess.Popen:
    state = f"var/practice-{platform}.sqlite3"
    return start("-m", "sandbox", "--platform", platform, "--port", str(port), "--state", state)


def on_signal(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not break off the ending and leave a server behind.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stop


def start(*arguments: str) -> subprocess.Popen:
    """A session of its own: a Ctrl-C reaches it through us alone, and once."""
    return subprocess.Popen([sys.executable, *arguments], start_new_session=True)


def wait_until_all_answer(processes: list[subprocess.Popen], *ports: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not all(map(accepts, ports)) and time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            return
        time.sleep(0.1)


def watch(processes: list[subprocess.Popen]) -> int:
    """Returns 1 when a process has ended by itself."""
    while all(process.poll() is None for process in processes):
        time.sleep(0.5)
    print("One of the servers ended by itself, so all are ended; its message stands above.")
    return 1


def end(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
