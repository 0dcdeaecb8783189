"""How texts are compared and amounts are written. No Django here."""

from decimal import Decimal


def normalise(text: str) -> str:
    """The key two texts share when they differ only in case and outer spaces."""
    return text.strip().casefold()


def normalise_sku(text: str) -> str:
    """An item's `sku_key`: unique among items."""
    return normalise(text)


def normalise_email(text: str) -> str:
    """A customer e-mail's `email_key`."""
    return normalise(text)


def plain_number(number: Decimal, decimals: int = 0) -> str:
    """Thousands apart, no digit lost, trailing zeros beyond `decimals` left out: 1234.5000 -> "1,234.5"."""
    text = f"{number:,f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def money(amount: Decimal, currency: str) -> str:
    """1234.50000000 and "EUR" -> "1,234.50 EUR"; every digit the shop gave is shown."""
    return f"{plain_number(amount, decimals=2)} {currency}".rstrip()
