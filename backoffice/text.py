"""How texts are compared: one rule for SKUs, one for e-mail addresses."""


def normalise_sku(text: str) -> str:
    """SKUs are the same without regard to case and outer spaces."""
    return text.strip().casefold()


def normalise_email(text: str) -> str:
    """Addresses are the same without regard to case and outer spaces; nothing else is guessed."""
    return text.strip().casefold()
