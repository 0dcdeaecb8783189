"""What the shop says of itself: the index, system_status, settings and currency."""

from __future__ import annotations

from typing import Any

from sandbox.shop import Shop
from sandbox.woocommerce.errors import ApiError
from sandbox.woocommerce.looks import SYMBOLS, VERSION


def index(shop: Shop) -> dict[str, Any]:
    """GET /wp-json/, open to anyone."""
    offset = shop.clock.now().astimezone(shop.zone).utcoffset()
    return {
        "name": shop.name,
        "description": "A shop to practise with",
        "url": shop.url,
        "home": shop.url,
        "gmt_offset": str((offset.total_seconds() if offset else 0) / 3600).removesuffix(".0"),
        "timezone_string": shop.zone.key,
        "namespaces": ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc/store/v1", "wp/v2"],
        "authentication": {},
        "routes": {},
    }


def system_status(shop: Shop) -> dict[str, Any]:
    """GET system_status. `default_timezone` is PHP's, not the shop's."""
    return {
        "environment": _environment(shop),
        "database": {
            "wc_database_version": VERSION,
            "database_prefix": "wp_",
            "maxmind_geoip_database": "",
            "database_tables": {"woocommerce": {}, "other": {}},
            "database_size": {"data": 2.5, "index": 3},
        },
        "active_plugins": [_plugin(shop)],
        "inactive_plugins": [],
        "dropins_mu_plugins": {"dropins": [], "mu_plugins": []},
        "theme": _theme(),
        "settings": _settings(shop),
        "security": {"secure_connection": False, "hide_errors": True},
        "pages": [],
        "post_type_counts": [
            {"type": "product", "count": str(sum(1 for p in shop.products.rows.values() if not p.parent_id))},
            {"type": "product_variation", "count": str(sum(1 for p in shop.products.rows.values() if p.parent_id))},
            {"type": "shop_order_placehold", "count": str(len(shop.orders.rows))},
        ],
        "logging": {
            "logging_enabled": True,
            "default_handler": "Automattic\\WooCommerce\\Internal\\Admin\\Logging\\LogHandlerFileV2",
            "retention_period_days": 30,
            "level_threshold": "",
            "log_directory_size": "0 B",
        },
    }


def _environment(shop: Shop) -> dict[str, Any]:
    return {
        "home_url": shop.url,
        "site_url": shop.url,
        "store_id": "00000000-0000-4000-8000-000000000001",
        "version": VERSION,
        "log_directory": "/shop/wc-logs/",
        "log_directory_writable": True,
        "wp_version": "7.1",
        "wp_multisite": False,
        "wp_memory_limit": 268435456,
        "wp_debug_mode": False,
        "wp_cron": True,
        "wp_environment_type": "production",
        "language": "en_US",
        "external_object_cache": None,
        "server_info": "practice-shop",
        "server_architecture": "Linux x86_64",
        "php_version": "8.2.0",
        "php_post_max_size": 67108864,
        "php_max_execution_time": 300,
        "php_max_input_vars": 1000,
        "curl_version": "7.88.1",
        "suhosin_installed": False,
        "max_upload_size": 2097152,
        "mysql_version": "10.11.0",
        "mysql_version_string": "10.11.0-MariaDB",
        "default_timezone": "UTC",
        "fsockopen_or_curl_enabled": True,
        "soapclient_enabled": True,
        "domdocument_enabled": True,
        "gzip_enabled": True,
        "mbstring_enabled": True,
        "remote_post_successful": False,
        "remote_post_response": "",
        "remote_get_successful": False,
        "remote_get_response": "",
    }


def _plugin(shop: Shop) -> dict[str, Any]:
    return {
        "plugin": "woocommerce/woocommerce.php",
        "name": "WooCommerce",
        "version": VERSION,
        "version_latest": VERSION,
        "url": shop.url,
        "author_name": "",
        "author_url": "",
        "network_activated": False,
    }


def _theme() -> dict[str, Any]:
    return {
        "name": "Practice",
        "version": "1.0",
        "version_latest": 0,
        "author_url": "",
        "is_child_theme": False,
        "is_block_theme": True,
        "has_woocommerce_support": False,
        "has_woocommerce_file": False,
        "has_outdated_templates": False,
        "overrides": [],
        "parent_name": "",
        "parent_version": "",
        "parent_version_latest": "",
        "parent_author_url": "",
    }


def _settings(shop: Shop) -> dict[str, Any]:
    kinds = ("external", "grouped", "simple", "variable")
    visibility = ("exclude-from-catalog", "exclude-from-search", "featured", "outofstock")
    ratings = [f"rated-{stars}" for stars in range(1, 6)]
    return {
        "api_enabled": False,
        "force_ssl": False,
        "currency": shop.currency,
        "currency_symbol": {"USD": "&#36;", "EUR": "&euro;", "GBP": "&pound;"}.get(shop.currency, shop.currency),
        "currency_position": "left",
        "thousand_separator": ",",
        "decimal_separator": ".",
        "number_of_decimals": 2,
        "geolocation_enabled": False,
        "taxonomies": {kind: kind for kind in kinds},
        "product_visibility_terms": {term: term for term in (*visibility, *ratings)},
        "woocommerce_com_connected": "no",
        "enforce_approved_download_dirs": True,
        "order_datastore": "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore",
        "HPOS_enabled": True,
        "HPOS_sync_enabled": False,
        "enabled_features": ["analytics", "order_attribution", "custom_order_tables"],
    }


def setting_group(shop: Shop, group: str) -> list[dict[str, Any]]:
    """GET settings/{group}. Raises ApiError 404 for a group there is not."""
    options = _OPTIONS.get(group)
    if options is None:
        raise ApiError(404, "rest_setting_setting_group_invalid", "Invalid setting group.")
    return [_setting(shop, group, name) for name in options]


def setting(shop: Shop, group: str, name: str) -> dict[str, Any]:
    """GET settings/{group}/{id}. Raises ApiError 404."""
    if name not in _OPTIONS.get(group, {}):
        raise ApiError(404, "rest_setting_setting_invalid", "Invalid setting.")
    return _setting(shop, group, name)


_OPTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "general": {
        "woocommerce_currency": ("Currency", "select"),
        "woocommerce_calc_taxes": ("Enable taxes", "checkbox"),
        "woocommerce_default_country": ("Country / State", "select"),
    },
    "tax": {"woocommerce_prices_include_tax": ("Prices entered with tax", "radio")},
    "products": {"woocommerce_manage_stock": ("Manage stock", "checkbox")},
}


def _setting(shop: Shop, group: str, name: str) -> dict[str, Any]:
    label, kind = _OPTIONS[group][name]
    values = {
        "woocommerce_currency": shop.currency,
        "woocommerce_calc_taxes": "yes",
        "woocommerce_default_country": "US:NY",
        "woocommerce_prices_include_tax": "no",
        "woocommerce_manage_stock": "yes",
    }
    href = f"{shop.url}/wp-json/wc/v3/settings/{group}"
    return {
        "id": name,
        "label": label,
        "description": "",
        "type": kind,
        "default": values[name],
        "tip": "",
        "value": values[name],
        "group_id": group,
        "_links": {"self": [{"href": f"{href}/{name}"}], "collection": [{"href": href}]},
    }


def currency(shop: Shop) -> dict[str, Any]:
    """GET data/currencies/current."""
    href = f"{shop.url}/wp-json/wc/v3/data/currencies"
    return {
        "code": shop.currency,
        "name": {"USD": "United States (US) dollar", "EUR": "Euro"}.get(shop.currency, shop.currency),
        "symbol": SYMBOLS.get(shop.currency, shop.currency),
        "_links": {"self": [{"href": f"{href}/{shop.currency}"}], "collection": [{"href": href}]},
    }
