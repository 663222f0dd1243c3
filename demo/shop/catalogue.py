"""The shop's goods at a tick: their prices, whether they are in stock, and which of their pages is gone or broken."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

CURRENCY = "EUR"
PRICE_STEPS = (0, -5, 4, -12, -12, 3, 8, 0)  # percent of the first price, one after the other
PRICE_TICKS = 2  # a price stays for so many ticks; the goods take turns


class Fault(StrEnum):
    """What is wrong with a page."""

    NEGATIVE_PRICE = "negative price"
    NO_PRICE = "no price"
    PRICE_IN_WORDS = "price in words"
    DOUBLED_SKU = "doubled sku"  # of the goods one number below, with another name and price


@dataclass(frozen=True)
class Shelf:
    """A part of the shop, with a page that lists it."""

    name: str
    title: str


@dataclass(frozen=True)
class Goods:
    """One of the shop's goods at a tick. `status` is the one of its page; what is not 200 is on no list."""

    number: int
    shelf: Shelf
    sku: str
    name: str
    brand: str
    price: Decimal
    in_stock: bool
    status: int = 200
    fault: Fault | None = None

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/goods/{self.number}"

    @property
    def written_price(self) -> str:
        """The price as people read it, with a comma; empty if the page has none."""
        if self.fault is Fault.NO_PRICE:
            return ""
        if self.fault is Fault.PRICE_IN_WORDS:
            return "ask in the shop"
        return f"{self.price:.2f}".replace(".", ",") + " €"

    @property
    def data_price(self) -> str | None:
        """The price as the page's structured data has it."""
        if self.fault in {Fault.NO_PRICE, Fault.PRICE_IN_WORDS}:
            return self.written_price or None
        return f"{self.price:.2f}"


SHELVES = (Shelf("kettles", "Kettles"), Shelf("lamps", "Lamps"), Shelf("tools", "Tools"))
_NAMES = {
    "kettles": ("Whistling kettle 1 l", "Whistling kettle 2 l", "Electric kettle", "Glass kettle", "Camping kettle", "Travel kettle",
                "Enamel kettle", "Copper kettle"),
    "lamps": ("Reading lamp", "Storm lantern", "Clip lamp", "Floor lamp", "Paper lamp", "Workshop lamp", "Night light", "Ship's lamp"),
    "tools": ("Claw hammer", "Hand saw", "Spirit level", "Wood plane", "Pipe wrench", "Set of chisels", "Folding rule", "Bench vice"),
}  # fmt: skip
_BRANDS = ("Alder & Sons", "Kestrel", "Brightwater")
_FAULTS = {6: Fault.NEGATIVE_PRICE, 11: Fault.NO_PRICE, 15: Fault.DOUBLED_SKU, 22: Fault.PRICE_IN_WORDS}
_GONE = {4: (404, 1, 2), 9: (404, 2, 4), 17: (410, 1, 4), 20: (404, 3, 5)}  # status, first tick in a round, first tick of its return
ROUND_TICKS = 6  # after so many ticks the same goods vanish again


def goods(tick: int) -> list[Goods]:
    """All the shop's goods at a tick, those whose pages are gone included, by number."""
    found: list[Goods] = []
    for shelf in SHELVES:
        for name in _NAMES[shelf.name]:
            found.append(_goods(len(found) + 1, shelf, name, tick))
    return found


def _goods(number: int, shelf: Shelf, name: str, tick: int) -> Goods:
    fault = _FAULTS.get(number)
    doubled = fault is Fault.DOUBLED_SKU
    return Goods(
        number=number,
        shelf=shelf,
        sku=_sku(number - 1 if doubled else number),
        name=name,
        brand=_BRANDS[number % len(_BRANDS)],
        price=Decimal(-1) if fault is Fault.NEGATIVE_PRICE else _price(number, tick),
        in_stock=(number * 5 + tick) % 9 != 0,
        status=_status(number, tick),
        fault=fault,
    )


def _sku(number: int) -> str:
    return f"QH-{100 + number * 7}"


def _price(number: int, tick: int) -> Decimal:
    first = Decimal(900 + (number * 1370) % 7300) / 100
    step = PRICE_STEPS[(number + (tick + number) // PRICE_TICKS) % len(PRICE_STEPS)]
    return (first * (100 + step) / 100).quantize(Decimal("0.01"))


def _status(number: int, tick: int) -> int:
    status, gone, back = _GONE.get(number, (200, 0, 0))
    return status if gone <= tick % ROUND_TICKS < back else 200
