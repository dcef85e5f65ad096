"""The bank: charges, each with an order and an amount, and at most one for an idempotency key.

As payment services do it: https://docs.stripe.com/api/idempotent_requests.
"""

from dataclasses import asdict, dataclass
from typing import Any

from .errors import shown

LONGEST_TEXT_CHARACTERS = 200
LARGEST_CENTS = 100_000_000


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that was taken. ``key`` is the idempotency key that came with the request, or None."""

    id: str
    user: str
    order: str
    cents: int
    key: str | None


class OtherCharge(ValueError):
    """The key has been used before, for another order or amount."""


class Bank:
    """All charges since the last ``clear``, the oldest first."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all charges, and all keys."""
        self._charges: list[Charge] = []
        self._by_key: dict[tuple[str, str], Charge] = {}

    def charge(self, user: str, order: str, cents: int, key: str | None) -> tuple[Charge, bool]:
        """Take the money, and whether this is new: a key that was used before gives the charge of that time.

        OtherCharge: that one was of another order or amount.
        """
        if key is not None and (earlier := self._by_key.get((user, key))):
            if (earlier.order, earlier.cents) != (order, cents):
                raise OtherCharge(f"the key {shown(key)} was used for order {shown(earlier.order)}")
            return earlier, False
        taken = Charge(f"charge-{len(self._charges) + 1}", user, order, cents, key)
        self._charges.append(taken)
        if key is not None:
            self._by_key[user, key] = taken
        return taken, True

    def report(self) -> list[dict[str, Any]]:
        """The charges, ready for JSON."""
        return [asdict(charge) for charge in self._charges]


def text(name: str, value: str | None) -> str:
    """A text of 1 to 200 characters. ValueError: it is not."""
    if value is None or not 1 <= len(value) <= LONGEST_TEXT_CHARACTERS:
        raise ValueError(f"{name} must have 1 to {LONGEST_TEXT_CHARACTERS} characters")
    return value


def cents(value: str | None) -> int:
    """A whole number of cents, at least one. ValueError: it is not."""
    if value is not None and value.isascii() and value.isdigit() and 1 <= int(value[:10]) <= LARGEST_CENTS:
        return int(value[:10])
    raise ValueError(f"cents must be a whole number from 1 to {LARGEST_CENTS}, not {shown(value or '')}")
