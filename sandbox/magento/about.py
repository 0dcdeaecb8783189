"""What the shop says of itself."""

from __future__ import annotations

from typing import Any

from sandbox.magento.looks import REGIONS, STATE_NAMES
from sandbox.magento.stock import WEBSITE
from sandbox.messages import Request, Response, json_response

_ALWAYS = ("Magento_Backend", "Magento_Catalog", "Magento_CatalogInventory", "Magento_Customer", "Magento_Sales")
_OF_SOURCES = ("Magento_Inventory", "Magento_InventoryApi", "Magento_InventorySales")


def store_configs(api: Any, request: Request) -> Response:
    shop = api.shop
    addresses = {
        f"{safe}{name}": f"{shop.url}/{path}"
        for safe in ("", "secure_")
        for name, path in (("base_url", ""), ("base_link_url", ""))
    }
    return json_response(
        [
            {
                "id": number,
                "code": code,
                "website_id": 1,
                "locale": "en_US",
                "base_currency_code": shop.currency,
                "default_display_currency_code": shop.currency,
                "timezone": shop.zone.key,
                "weight_unit": "lbs",
                **addresses,
            }
            for number, code in enumerate(api.views, 1)
        ]
    )


def store_views(api: Any, request: Request) -> Response:
    admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0, "is_active": 1}
    views = [
        {
            "id": number,
            "code": code,
            "name": api.shop.name if code == "default" else f"{api.shop.name} {code}",
            "website_id": 1,
            "store_group_id": 1,
            "is_active": 1,
        }
        for number, code in enumerate(api.views, 1)
    ]
    return json_response([admin, *views])


def websites(api: Any, request: Request) -> Response:
    admin = {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}
    return json_response([admin, {"id": 1, "code": WEBSITE, "name": "Main Website", "default_group_id": 1}])


def country(api: Any, request: Request, code: str) -> Response:
    """The regions this practice shop knows are American; those of other countries are free text."""
    told: dict[str, Any] = {"id": code, "two_letter_abbreviation": code}
    if code == "US":
        told["available_regions"] = [
            {"id": str(number), "code": short, "name": STATE_NAMES[short]} for short, number in REGIONS.items()
        ]
    return json_response(told)


def modules(api: Any, request: Request) -> Response:
    return json_response([*_ALWAYS, *(_OF_SOURCES if api.has_sources else ())])
