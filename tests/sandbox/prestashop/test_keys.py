"""The key as user name, and its rights by resource and method."""

import pytest
from defusedxml.ElementTree import fromstring

from sandbox.testing import practice_shop
from tests.sandbox.prestashop.conftest import Client, code


@pytest.mark.parametrize(("key", "status", "number"), [("SHORT", 401, "18"), ("A" * 32, 401, "20")])
def test_a_wrong_key_is_refused_by_its_code(client, key, status, number):
    answer = client.ask("GET", "orders", key=key)
    assert (answer.status_code, code(fromstring(answer.content))) == (status, number)


def test_without_a_key_the_answer_is_plain(client):
    answer = client.ask("GET", "orders", key="")
    assert (answer.status_code, answer.text) == (401, "401 Unauthorized")


def test_rights_are_by_resource_and_method():
    with practice_shop(platform="prestashop", rights={"orders": frozenset({"GET"})}) as place:
        client = Client(place)
        assert client.get("orders")[0] == 200
        status, root = client.get("customers")
        assert (status, code(root)) == (401, "26")
        status, root = client.write("PATCH", "orders/1", "<order><id>1</id></order>")
        assert (status, code(root)) == (405, "25")
        index = client.get("")[1].find("api")
        assert [(each.tag, each.get("get"), each.get("put")) for each in index] == [("orders", "true", "false")]


def test_patch_came_with_version_8():
    with practice_shop(platform="prestashop", version="1.7.8.11") as place:
        answer = Client(place).ask("PATCH", "products", "<prestashop/>")
        assert (answer.status_code, answer.headers["PSWS-Version"]) == (405, "1.7.8.11")


def test_the_webservice_can_be_switched_off(client, place):
    place.platform.is_enabled = False
    status, root = client.get("orders")
    assert (status, code(root)) == (503, "22")
