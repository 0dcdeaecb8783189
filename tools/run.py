"""`make run`: prepare the embedded set-up, then run CartSync and the practice shop until Ctrl-C."""

import argparse
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

START_SECONDS = 60
STOP_SECONDS = 20
WELCOME = """
  CartSync       {panel}
  Sign in        demo / demo
  Practice shop  {shop}   (its own server; a new order every 20 seconds)

  Try this: open Carts, then "Practice shop". Click Test Connection, then Rehearse, then Start,
  and watch the orders arrive under Orders.   Ctrl-C ends everything; your data stays in var/.
"""


class Stop(Exception):
    """Somebody asked for the end."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--shop-port", type=int, required=True)
    options = parser.parse_args()
    panel, shop = (f"http://127.0.0.1:{port}/" for port in (options.port, options.shop_port))
    for variable, port in (("PORT", options.port), ("SHOP_PORT", options.shop_port)):
        if accepts(port):
            print(f"Port {port} is in use. Choose another: make run {variable}={port + 100}")
            return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    processes: list[subprocess.Popen] = []
    try:
        for command in (["migrate", "--verbosity", "0"], ["load_demo", "--shop-url", shop]):
            subprocess.run([sys.executable, "manage.py", *command], check=True)
        processes += [
            start("-m", "sandbox", "--platform", "woocommerce", "--port", str(options.shop_port),
                  "--state", "var/practice-shop.sqlite3"),
            start("manage.py", "serve", "--port", str(options.port)),
        ]  # fmt: skip
        wait_until_both_answer(processes, options.port, options.shop_port)
        print(WELCOME.format(panel=panel, shop=shop), flush=True)
        return watch(processes)
    except Stop:
        return 0
    except subprocess.CalledProcessError as error:
        print(f"Nothing was started: {' '.join(error.cmd[1:])} failed; its message stands above.")
        return 1
    finally:
        end(processes)


def on_signal(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not break off the ending and leave a server behind.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stop


def start(*arguments: str) -> subprocess.Popen:
    """A session of its own: a Ctrl-C reaches it through us alone, and once."""
    return subprocess.Popen([sys.executable, *arguments], start_new_session=True)


def wait_until_both_answer(processes: list[subprocess.Popen], *ports: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not all(map(accepts, ports)) and time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            return
        time.sleep(0.1)


def watch(processes: list[subprocess.Popen]) -> int:
    """Returns 1 when either process has ended by itself."""
    while all(process.poll() is None for process in processes):
        time.sleep(0.5)
    print("One of the two servers ended by itself, so both are ended; its message stands above.")
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
