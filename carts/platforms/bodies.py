"""From a shop's text to values, as far as it is the same on every platform. Pure."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml.common import DefusedXmlException

from carts.errors import Rejected, Unavailable
from carts.records import TOO_LARGE_AN_AMOUNT

# A number as every shop understands it: "12,50" becomes 1250 at some, without an error.
NUMBER = re.compile(r"\d+(\.\d+)?")
# Numbers with a fraction become Decimal: no amount passes through float.
exact_decoder = msgspec.json.Decoder(float_hook=Decimal)
exact_encoder = msgspec.json.Encoder(decimal_format="number")

_NOT_READABLE = (
    msgspec.DecodeError,
    ParseError,
    DefusedXmlException,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    InvalidOperation,
)


def money(value: Any) -> Decimal:
    """A finite Decimal of the shop's text or number. ValueError or InvalidOperation where it is no amount."""
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount) >= TOO_LARGE_AN_AMOUNT:
        raise ValueError(f"not an amount: {value}")
    return amount


def optional_money(value: Any) -> Decimal | None:
    return None if value in (None, "") else money(value)


def digest_of(body: bytes) -> bytes:
    """Identifies the content of a record (RawRecord.digest)."""
    return blake2b(body, digest_size=16).digest()


@contextmanager
def reading(what: str, platform: str) -> Iterator[None]:
    """Whatever goes wrong inside means that this record is not written the way the platform writes it: Rejected."""
    try:
        yield
    except _NOT_READABLE as error:
        raise Rejected(
            f"This {what} is not written the way {platform} writes it, so it was not read. Open it in the shop, save "
            "it, and click Retry.",
            detail=f"{type(error).__name__}: {error}",
        ) from None


def broken_answer(platform: str, detail: object) -> Unavailable:
    """For an answer of which nothing can be believed."""
    return Unavailable(
        f"The shop's answer broke off or is not what {platform} sends. The next try follows by itself.",
        detail=str(detail),
    )
