"""Every address of the panel: who may look, who may act, and that looking changes nothing."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from carts.choices import Kind, RecordState, RunKind, RunState
from carts.models import Cart, Record, Run
from carts.urls import urlpatterns
from tests.panel.conftest import person

ONE_CART = (
    "cart", "state", "start", "orders", "items", "customers", "cart_orders", "cart_items", "cart_customers", "owners",
    "mapping_items", "mapping_customers", "mapping_table",
)  # fmt: skip
LOOKED_AT = ("list", "add", "problems", "problem", "runs", "run", "settings", "platforms", "find", *ONE_CART)
ACTED_ON = (
    "add", "problem", "unsent", "answer", "run_stop", "run_retry", "cart", "test", "start", "stop", "rehearse",
    "rehearse_to", "import", "export", "conflict", "owners",
    "mapping_items", "mapping_customers", "mapping_table", "mapping_read",
)  # fmt: skip


@pytest.fixture
def world(new_cart) -> dict[str, int]:
    """One of everything, at an address where nothing answers: no page may need the shop to show itself."""
    cart = new_cart(url="http://127.0.0.1:1")
    run = Run.objects.create(cart=cart, kind=RunKind.IMPORT, state=RunState.QUEUED)
    record = Record.objects.create(
        cart=cart, kind=Kind.ORDER, external_id="7", label="7", state=RecordState.HELD, reason="Held.", payload="{}",
        digest=b"0" * 16, seen_at=timezone.now(), changed_at=timezone.now(),
    )  # fmt: skip
    return {"cart": cart.pk, "run": run.pk, "problem": record.pk}


def address(name: str, world: dict[str, int]) -> str:
    if name in ("list", "add", "problems", "answer", "runs", "settings", "platforms"):
        return reverse(f"carts:{name}")
    if name == "find":
        return reverse("carts:find", args=["item"])
    return reverse(f"carts:{name}", args=[world.get(name.partition("_")[0] if "run" in name else name, world["cart"])])


def everything(capsys) -> str:
    capsys.readouterr()
    call_command("dumpdata", "carts", "backoffice")
    return capsys.readouterr().out


def test_the_matrix_names_every_address():
    assert {pattern.name for pattern in urlpatterns} == {*LOOKED_AT, *ACTED_ON}


@pytest.mark.parametrize("name", sorted({*LOOKED_AT, *ACTED_ON}))
def test_nobody_gets_in_without_signing_in(world, name, capsys):
    before = everything(capsys)
    for method in ("post",) if name not in LOOKED_AT else ("get", "post"):
        answer = getattr(Client(), method)(address(name, world))
        assert (answer.status_code, answer.url) == (302, f"/login/?next={address(name, world)}")
    assert everything(capsys) == before


@pytest.mark.parametrize("name", LOOKED_AT)
@pytest.mark.parametrize(
    ("codenames", "status"),
    [((), 403), (("view_cart",), 200), (("view_cart", "change_cart"), 200), (("change_cart",), 200)],
)
def test_looking_takes_the_permission_to_view_and_changes_nothing(world, name, codenames, status, capsys):
    client = Client()
    client.force_login(person("clerk", *codenames))
    before = everything(capsys)
    # A form to add a cart is no use to who may not send it.
    expected = 403 if name == "add" and "change_cart" not in codenames else status
    assert client.get(address(name, world)).status_code == expected
    assert everything(capsys) == before


@pytest.mark.parametrize("name", ACTED_ON)
@pytest.mark.parametrize("codenames", [(), ("view_cart",)])
def test_acting_is_refused_without_the_permission_to_change(world, name, codenames, capsys):
    client = Client()
    client.force_login(person("clerk", *codenames))
    before = everything(capsys)
    answer = client.post(
        address(name, world), {"name": "Other", "url": "https://other.example.test", "action": "ignore"}
    )
    assert answer.status_code == 403
    assert everything(capsys) == before


@pytest.mark.parametrize("name", ACTED_ON)
def test_acting_without_the_page_s_token_is_refused(world, name, staff, capsys):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    before = everything(capsys)
    assert client.post(address(name, world), {"action": "ignore"}).status_code == 403
    assert everything(capsys) == before


@pytest.mark.parametrize("name", ["stop", "rehearse", "import", "answer", "run_stop", "run_retry"])
def test_what_acts_cannot_be_reached_by_a_link(world, name, signed_in):
    assert signed_in.get(address(name, world)).status_code == 405


def test_with_the_permission_to_change_a_person_acts(world):
    client = Client()
    client.force_login(person("clerk", "view_cart", "change_cart"))
    client.post(address("problem", world), {"action": "ignore"})
    assert Record.objects.get(pk=world["problem"]).reason == "Ignored by clerk."


def test_who_may_only_look_is_offered_nothing_to_click(world):
    client = Client()
    client.force_login(person("clerk", "view_cart"))
    for name in LOOKED_AT:
        assert b'method="post" action="/carts' not in client.get(address(name, world)).content
    assert client.get(address("cart", world) + "?edit=1").context["editing"] is False
    assert Cart.objects.count() == 1
