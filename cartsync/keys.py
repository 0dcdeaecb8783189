"""The keys of the embedded set-up: made once, kept beside its database."""

import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet


def ensure_key_file(path: Path) -> Path:
    """Make `path` with a new SECRET_KEY and CREDENTIALS_KEY, readable by its owner only; keep an old one."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: two processes starting at once end with the same whole file.
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(f"SECRET_KEY={secrets.token_urlsafe(50)}\nCREDENTIALS_KEY={Fernet.generate_key().decode()}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    return path
