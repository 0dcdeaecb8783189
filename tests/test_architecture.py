"""Who may import whom, as data, and what no file may hold. The rooms are those of docs and README."""

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON_FOLDERS = ("cartsync", "carts", "backoffice", "sandbox", "bench", "tools", "tests")


@dataclass(frozen=True)
class Rule:
    """Modules at or under `room` may not import what is at or under `closed`, but for `open`."""

    room: str
    closed: tuple[str, ...]
    open: tuple[str, ...] = ()


SHARED_BY_ADAPTERS = ("__init__", "base", "bodies", "http", "paging")
TOOLING = ("sandbox", "bench", "tools", "tests")
SCREENS = ("carts.views", "carts.admin", "carts.forms", "carts.urls")
RULES = (
    # The system knows nothing of carts, and neither side knows the tests, the tools or the practice shops.
    Rule("backoffice", ("carts", *TOOLING)),
    Rule("carts", TOOLING),
    Rule("sandbox", ("carts", "backoffice", "cartsync", "django", "bench", "tests")),
    # The gateway is the one door to the system.
    Rule("carts.services", ("backoffice",)),
    # Platforms: plain values in, dataclasses out.
    Rule(
        "carts.platforms",
        ("carts", "backoffice", "django", "celery"),
        ("carts.platforms", "carts.records", "carts.errors", "carts.choices"),
    ),
    # Words and shapes stand at the bottom.
    Rule("carts.records", ("carts", "backoffice", "celery"), ("carts.choices", "carts.errors")),
    Rule("carts.errors", ("carts", "backoffice", "celery"), ("carts.choices",)),
    Rule("carts.choices", ("carts", "backoffice", "celery")),
    # views, admin, tasks -> services -> models, platforms, gateway
    Rule("carts.models", ("carts.services", "carts.gateway", "carts.tasks", *SCREENS)),
    Rule("carts.gateway", ("carts.services", "carts.platforms", "carts.tasks", *SCREENS)),
    Rule("carts.services", SCREENS),
    Rule("backoffice.models", ("backoffice.services", "backoffice.admin", "backoffice.views")),
    Rule("backoffice.services", ("backoffice.admin", "backoffice.views")),
)


def python_files() -> list[Path]:
    return [path for folder in PYTHON_FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Every module or name imported anywhere in the file, in functions too, as an absolute dotted path."""
    module = module_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def under(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def breaches(rule: Rule) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files()
        if under(module_of(path), (rule.room,))
        for name in sorted(imports_of(path))
        if under(name, rule.closed) and not under(name, rule.open)
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.room} > {rule.closed[0]}")
def test_rooms_import_only_what_they_may(rule):
    assert breaches(rule) == []


def test_no_adapter_imports_another():
    folder = ROOT / "carts" / "platforms"
    adapters = {module_of(path): path for path in folder.glob("*.py") if path.stem not in SHARED_BY_ADAPTERS}
    found = [
        f"{adapter} imports {name}"
        for adapter, path in adapters.items()
        for name in sorted(imports_of(path))
        if under(name, tuple(adapters.keys() - {adapter}))
    ]
    assert found == []


def test_no_file_tells_of_a_particular_machine():
    # Put together here, so that this file does not hold them itself.
    forbidden = ("/wo" + "rk/", "/ro" + "ot/", "pythonhosted" + ".org", "registry.npmjs" + ".org")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    found = [
        f"{name} mentions {word}"
        for name in filter(None, listed.split("\0"))
        if (ROOT / name).is_file()
        for word in forbidden
        if word.encode() in (ROOT / name).read_bytes()
    ]
    assert found == []
