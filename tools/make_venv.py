"""Make .venv, or say in a sentence why not. Any Python 3 must be able to read this file."""

import importlib.util
import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "CartSync needs Python 3.11 or newer; this is {}.{}. Name another: make run PYTHON=python3.11".format(
            *sys.version_info
        )
    )
if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
    sys.exit(
        "This Python cannot make virtual environments. On Debian or Ubuntu, install the package"
        " python3-venv, then run the command again."
    )
sys.exit(subprocess.call([sys.executable, "-m", "venv", sys.argv[1]]))
