"""`make test`: get what the tests need, then run them all on SQLite and on PostgreSQL.

DB=sqlite or DB=postgres picks one database; every argument goes to pytest. Tests that touch no database run with the
first one only.
"""

import contextlib
import os
import subprocess
import sys

from tools import needs, testservers

DATABASES = ("sqlite", "postgres")
# The practice shops and the adapters. tests/conftest.py sees to it that none of them asks for a database.
WITHOUT_DATABASE = ("tests/sandbox", "tests/platforms", "tests/contract")
NOTHING_COLLECTED = 5


def main(arguments: list[str]) -> int:
    chosen = os.environ.get("DB", "").split() or list(DATABASES)
    if unknown := set(chosen) - set(DATABASES):
        print(f"DB is {', '.join(unknown)}, but must be one of: {', '.join(DATABASES)}.")
        return 2
    missing = needs.get_all()
    if missing:
        print(*missing, sep="\n")
        if os.environ.get("CI") == "true":
            print("In CI nothing may be left out, so nothing was run.")
            return 1
        print("The tests that need it are skipped and say so.")
    with contextlib.ExitStack() as servers:
        environment = dict(os.environ)
        # The tests start what is not given, each time anew: once for all of them is quicker.
        if needs.redis_program():
            environment["TEST_REDIS_URL"] = servers.enter_context(testservers.Redis()).url
        if needs.postgres_folder():
            environment["TEST_POSTGRES_URL"] = servers.enter_context(testservers.postgres())
        elif "postgres" in chosen:
            chosen.remove("postgres")
        outcomes = {name: run(name, environment, arguments, is_first=name == chosen[0]) for name in chosen}
    for name, outcome in outcomes.items():
        told = "passed" if outcome == 0 else f"FAILED (pytest ended with {outcome})"
        note = "" if name == chosen[0] else f", without those that touch no database and ran on {chosen[0]}"
        print(f"Tests on {name}{note}: {told}")
    return max(outcomes.values(), default=1)


def run(database: str, environment: dict[str, str], arguments: list[str], *, is_first: bool) -> int:
    print(f"\n=== The tests on {database} ===", flush=True)
    environment = {name: value for name, value in environment.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    if database == "postgres":
        environment["DATABASE_URL"] = environment["TEST_POSTGRES_URL"]
    if not is_first:
        print(f"{', '.join(WITHOUT_DATABASE)} touch no database and ran above: not again.", flush=True)
        arguments = [*(f"--deselect={folder}" for folder in WITHOUT_DATABASE), *arguments]
    outcome = subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode
    return 0 if outcome == NOTHING_COLLECTED and not is_first else outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
