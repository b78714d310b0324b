"""The portal's process, a `child` with one argument of its own: SOCKET.

Pages, the control API and the log's tiles, for all workers, at a Unix socket: however long a page takes here, no stream
of a worker waits for it. Beside them, in a thread of its own, the sender of letters: of a server there is one portal.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import uvloop
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

import readingroom
from readingroom.api.control import create_control
from readingroom.api.ledger import create_ledger
from readingroom.app.house import House
from readingroom.cli.answering import Answering
from readingroom.cli.child import GRACE_SECONDS, say_ready
from readingroom.cli.places import listen_at
from readingroom.core.settings import load
from readingroom.web.app import create_web

OPENAPI = OpenAPIConfig(
    title="Reading Room: control API",
    version=readingroom.__version__,
    path="/api/schema",  # `/api/openapi.json`, the address in the contract, is served by the control API itself
    render_plugins=[JsonRenderPlugin()],
)


def main(home: str, ready: int, socket: str) -> None:
    """Serve until told to stop."""
    house = House(load(Path(home)))
    portal = create_web(house, [create_control(house), create_ledger(house)], OPENAPI)
    sender = house.sender()
    sender.start()
    uvloop.run(_serve(portal, ready, Path(socket)))
    sender.stop()
    house.close()


async def _serve(portal: Litestar, ready: int, socket: Path) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with portal.lifespan():
        answering = Answering(portal)
        server = await asyncio.start_unix_server(answering, sock=listen_at(socket))
        say_ready(ready)
        await told.wait()
        server.close()
        await answering.finish(GRACE_SECONDS)
