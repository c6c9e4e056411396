"""A stretch of wire between a client and a server of this machine: what goes in comes out a while later, in order."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK = 65_536
Moment = tuple[float, bytes]


@contextmanager
def away(host: str, port: int, round_trip_s: float) -> Iterator[int]:
    """The port of 127.0.0.1 from which the server at `host`:`port` is `round_trip_s` away; any number of connections,
    whose bandwidth has no limit."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="distance", daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection(host, port)
            await asyncio.gather(
                _carry(reader, far_writer, round_trip_s / 2), _carry(far_reader, writer, round_trip_s / 2)
            )

        return await asyncio.start_server(accepted, "127.0.0.1")

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Every piece leaves `delay_s` after it came, whatever is still under way before it."""
    under_way: asyncio.Queue[Moment] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(due - clock())
            writer.write(piece)
            if not piece:
                writer.close()
                return

    clock = asyncio.get_running_loop().time
    delivering = asyncio.ensure_future(deliver())
    piece = b"-"
    while piece:
        try:
            piece = await reader.read(CHUNK)
        except ConnectionError:
            piece = b""
        under_way.put_nowait((clock() + delay_s, piece))
    await delivering
