"""`make lint`: every check but the tests. All of them run; the exit code says whether any complained."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

LONG_FILE_LINES = 300
# What a person who follows docs/deployment.md has: the example file, with keys of their own.
REAL_SETTINGS = {
    "CARTSYNC_ENV_FILE": ".env.example",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "CREDENTIALS_KEY": Fernet.generate_key().decode(),
}
CHECKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("ruff check .", {}),
    ("ruff format --check .", {}),
    ("mypy", {}),
    ("manage.py makemigrations --check --dry-run", {}),
    ("manage.py check --deploy --fail-level WARNING", REAL_SETTINGS),
    ("pytest -q tests/test_architecture.py", {}),
)


def main() -> int:
    failed = []
    for command, settings in CHECKS:
        print(f"--- {command}", flush=True)
        name, *arguments = command.split()
        program = [name] if name.endswith(".py") else ["-m", name]
        environment = os.environ | settings
        if subprocess.run([sys.executable, *program, *arguments], env=environment).returncode:
            failed.append(command)
    report_long_files()
    print(*(f"FAILED: {command}" for command in failed) if failed else ["Every check passed."], sep="\n")
    return 1 if failed else 0


def report_long_files() -> None:
    """A long file is no error, but wants a second look."""
    names = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        lines = len(Path(name).read_text().splitlines()) if Path(name).exists() else 0
        if lines > LONG_FILE_LINES and "/migrations/" not in name:
            print(f"Long: {name} has {lines} lines.")


if __name__ == "__main__":
    sys.exit(main())
