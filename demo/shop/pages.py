"""The pages of the shop at one tick: a home page, a list for each shelf, a page for each of the goods."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2

from demo.clock import time_at
from demo.response import Response
from demo.shop.catalogue import CURRENCY, SHELVES, Goods, Shelf, goods

NAME = "Quayside Household Goods"


@cache
def _environment() -> jinja2.Environment:
    folder = Path(__file__).parent / "templates"
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)


class ShopPages:
    """All pages of the shop at a tick."""

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.goods = goods(tick)
        self._makers: dict[str, Callable[[], Response]] = {
            "/": self._home,
            "/robots.txt": lambda: Response(b"User-agent: *\nDisallow: /basket\n", "text/plain; charset=utf-8"),
            "/__truth__/clock": lambda: Response(str(tick).encode(), "text/plain; charset=utf-8"),
            **{f"/{one.name}": partial(self._list, one) for one in SHELVES},
            **{one.path: partial(self._page, one) for one in self.goods},
        }

    def find(self, path: str) -> Response:
        """The response to a path. 404 if there is none."""
        maker = self._makers.get(path)
        return maker() if maker else self._render("gone.html", "Not found", status=404)

    def _home(self) -> Response:
        return self._render("home.html", NAME, goods=self._listed()[:6])

    def _list(self, shelf: Shelf) -> Response:
        return self._render("list.html", shelf.title, goods=[one for one in self._listed() if one.shelf == shelf])

    def _page(self, one: Goods) -> Response:
        if one.status != 200:
            return self._render("gone.html", "No longer sold", status=one.status)
        data = _json_ld(one) if one.number % 2 else ""  # the others have microdata
        return self._render("goods.html", one.name, one=one, data=data, currency=CURRENCY)

    def _listed(self) -> list[Goods]:
        return [one for one in self.goods if one.status == 200]

    def _render(self, template: str, title: str, *, status: int = 200, **values: Any) -> Response:  # Any: a template's own values
        html = _environment().get_template(template).render(shop=NAME, shelves=SHELVES, title=title, **values)
        return Response(html.encode(), status=status, modified_at=time_at(self.tick) if status == 200 else None)


def _json_ld(one: Goods) -> str:
    offer = {
        "@type": "Offer",
        "priceCurrency": CURRENCY,
        "availability": f"https://schema.org/{'InStock' if one.in_stock else 'OutOfStock'}",
    }
    if one.data_price is not None:
        offer["price"] = one.data_price
    data = {
        "@context": "https://schema.org",
        "@type": "Product",
        "sku": one.sku,
        "name": one.name,
        "brand": {"@type": "Brand", "name": one.brand},
        "category": one.shelf.title,
        "offers": offer,
    }
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
