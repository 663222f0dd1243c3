"""The demo site's process: `python -m demo.site --port 8801 --second-port 8802 --shop-port 8803`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

from demo import clock as clocks
from demo.misbehaviour import misbehaviours
from demo.news.newsroom import edition
from demo.news.pages import Pages
from demo.response import Request, Response
from demo.server import HOST, Handler, RawHandler, port_of, serve
from demo.shop.pages import ShopPages
from demo.sites import make_sites

CLOCK_CHECK_SECONDS = 0.1  # a test that advances the clock waits no longer


class DemoServer:
    """Both news sites with their common clock, and the shop with its own."""

    def __init__(self, home: Path | None, clock: int, *, odd: bool) -> None:
        self.home, self.clock, self.odd = home, clock, odd
        self.bases = ("", "")
        self.pages: tuple[Pages, ...] = ()
        self.shop = ShopPages(clocks.read(home / clocks.SHOP) if home else clock)

    def open(self, bases: tuple[str, str]) -> None:
        """Make the pages of the news sites at the current tick."""
        self.bases = bases
        current = edition(self.clock)
        self.pages = tuple(Pages(site, current, bases, odd=self.odd) for site in make_sites(*bases))

    def handler(self, index: int) -> Handler:
        """The handler of one site's requests."""

        def response(request: Request) -> Response | RawHandler:
            if request.method not in {"GET", "HEAD"}:
                return Response(b"", status=405, headers=(("Allow", "GET, HEAD"),))
            pages = self.pages[index]
            return misbehaviours.respond(request, pages.site) or pages.find(request.target)

        return response

    def shop_response(self, request: Request) -> Response:
        """The response to a request to the shop."""
        if request.method not in {"GET", "HEAD"}:
            return Response(b"", status=405, headers=(("Allow", "GET, HEAD"),))
        return self.shop.find(request.path)

    async def follow_clock(self) -> None:
        """Read the files of the clocks again and again, and make the pages of their ticks, as long as the site runs."""
        while True:
            if self.home is not None:
                if (now := clocks.read(self.home)) != self.clock:
                    self.clock = now
                    self.open(self.bases)
                if (now := clocks.read(self.home / clocks.SHOP)) != self.shop.tick:
                    self.shop = ShopPages(now)
            await asyncio.sleep(CLOCK_CHECK_SECONDS)


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal, or for `--for` seconds. The first line printed says where, as JSON."""
    town = DemoServer(options.home, _first_clock(options), odd=options.odd)
    first, second = await serve(town.handler(0), options.port), await serve(town.handler(1), options.second_port)
    shop = await serve(town.shop_response, _shop_port(options))
    bases = (f"http://{HOST}:{port_of(first)}", f"http://{HOST}:{port_of(second)}")
    town.open(bases)
    places = {"ports": [port_of(first), port_of(second)], "bases": bases, "shop": f"http://{HOST}:{port_of(shop)}", "clock": town.clock}
    print(json.dumps(places), flush=True)
    follower = asyncio.create_task(town.follow_clock())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), options.seconds)
    follower.cancel()
    for server in (first, second, shop):
        server.close()


def _shop_port(options: argparse.Namespace) -> int:
    """The port given for the shop; else the one after the second site's, or a free one like the second site's."""
    if options.shop_port is None:
        return options.second_port + 1 if options.second_port else 0
    return int(options.shop_port)


def _first_clock(options: argparse.Namespace) -> int:
    """The tick to start with: the one given, which is then stored, or the one stored under the home."""
    if options.clock is None:
        return clocks.read(options.home) if options.home else 0
    if options.home:
        clocks.write(options.home, options.clock)
    return int(options.clock)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m demo.site", description="Two made-up news sites and a shop on loopback.")
    made.add_argument("--port", type=int, default=8801, help="port of the first site; 0 takes a free one")
    made.add_argument("--second-port", type=int, default=8802, help="port of the second site; 0 takes a free one")
    made.add_argument("--shop-port", type=int, help="port of the shop; without it the one after the second site's, or a free one")
    made.add_argument("--clock", type=int, help="tick to start at")
    made.add_argument(
        "--home", type=Path, help="folder of the clock's file, which a running site follows; the shop's is in its folder shop"
    )
    made.add_argument("--for", dest="seconds", type=float, help="seconds to run; without it until a signal")
    made.add_argument("--odd", action="store_true", help="link the page of misbehaviours")
    return made


def main() -> None:
    """Run the site; with uvloop if it is installed."""
    options = parser().parse_args()
    try:
        import uvloop
    except ImportError:
        runner = asyncio.run
    else:
        runner = uvloop.run
    try:
        runner(run(options))
    except OSError as error:
        sys.exit(f"the demo site cannot start: {error}. Is a port taken? Give others with --port, --second-port and --shop-port.")


if __name__ == "__main__":
    main()
