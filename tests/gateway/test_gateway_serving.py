"""The socket that is served on: whoever connects is answered at once."""

import asyncio
import socket

from dispatcher.gateway.serving import bind


async def test_an_answer_is_not_held_up_until_its_beginning_was_acknowledged():
    taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        taken.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with bind("127.0.0.1", 0) as bound:
        async with asyncio.timeout(10), await asyncio.start_server(serve, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname())
            assert await taken != 0
            writer.close()
            await writer.wait_closed()
