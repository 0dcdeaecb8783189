"""Test Connection: what it reads, and what a wrong key and a wrong address become."""

import pytest

from carts.errors import AuthError, CartError, ConfigError, Unavailable
from carts.platforms import REGISTRY
from tests.contract.harness import HARNESSES


def test_every_platform_of_the_registry_is_held_to_the_contract():
    assert HARNESSES.keys() == REGISTRY.keys()


def test_it_reads_what_the_shop_is_and_writes_nothing(ground):
    ground.place.requests.clear()
    info = ground.adapter.check()
    assert (info.name, info.currency, info.timezone) == ("Practice shop", "USD", "America/New_York")
    assert info.can_write and info.permissions and info.version
    assert bool(info.locations) is ground.capabilities.has_locations
    products = {row.id: (row.modified, row.stock) for row in ground.shop.products.rows.values()}
    ground.adapter.check()
    assert {row.id: (row.modified, row.stock) for row in ground.shop.products.rows.values()} == products


def test_every_wrong_credential_is_refused_without_being_told(ground):
    hidden = {field.name for field in ground.adapter.credential_fields if field.is_secret}
    tried = {name: value for name, value in ground.place.credentials.items() if value and name in hidden}
    assert tried.keys() > ground.harness.untried
    for name, value in tried.items():
        if name in ground.harness.untried:
            continue
        wrong = value[:-1] + ("0" if value[-1] != "0" else "1")
        with pytest.raises(AuthError) as raised:
            ground.connect(**{name: wrong}).check()
        ground.tells_no_secret(raised.value)
        assert wrong not in f"{raised.value.sentence}{raised.value.detail}"


def test_no_credentials_at_all_need_a_person(ground):
    nothing = dict.fromkeys(ground.place.credentials, "")
    with pytest.raises((AuthError, ConfigError)) as raised:
        ground.connect(**nothing).check()
    assert raised.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("http://127.0.0.1:1", Unavailable),  # nobody listens there
        ("http://no-such-shop.invalid", Unavailable),
        ("http://[half", ConfigError),
        ("ftp://shop.example.test", ConfigError),
        ("no address", ConfigError),
    ],
)
def test_an_address_where_no_shop_is(ground, address, kind):
    with pytest.raises(CartError) as raised:
        ground.connect(address=address).check()
    # A platform whose addresses have a shape of their own may refuse any of these before asking.
    assert isinstance(raised.value, kind | ConfigError)
    ground.tells_no_secret(raised.value)


def test_a_site_that_is_no_shop_needs_a_person(ground):
    with pytest.raises(ConfigError):
        ground.connect(address=f"{ground.place.url}/blog").check()
