"""Clients of fastapi_websocket_rpc, for a server of ours: python client.py <scenario> <url>.

Each scenario prints one line of JSON: what it saw.
"""

import asyncio
import json
import logging
import sys

from fastapi_websocket_rpc import RpcMethodsBase, WebSocketRpcClient
from fastapi_websocket_rpc.rpc_channel import RpcChannelClosedException
from fastapi_websocket_rpc.simplewebsocket import JsonSerializingWebSocket
from pydantic import BaseModel

from parent import end_with_parent

logging.disable(logging.CRITICAL)


class Answer(BaseModel):
    answer: str
    sure: bool


class Page(RpcMethodsBase):
    def __init__(self) -> None:
        super().__init__()
        self.told = []

    def _copy_(self):
        # The library copies the methods for each channel; what was told is for this program.
        copied = super()._copy_()
        copied.told = self.told
        return copied

    async def confirm(self, text: str) -> str:
        return "yes" if "?" in text else "no"

    async def answer(self, text: str) -> Answer:
        return Answer(answer=text, sure=True)

    async def notify(self, text: str) -> None:
        self.told.append(text)

    async def fail(self) -> None:
        raise ValueError("a secret")


def connect(url: str, methods=None, **options) -> WebSocketRpcClient:
    return WebSocketRpcClient(url, methods or Page(), retry_config=False, **options)


async def calls(url: str):
    """Calls, many at once."""
    async with connect(url) as client:
        one = await client.other.add(a=5, b=10)
        many = await asyncio.gather(*(client.other.add(a=n, b=1) for n in range(50)))
        return {
            "result": one.result,
            "type": one.result_type,
            "many": [answer.result for answer in many],
            "nothing": (await client.other.nothing()).result,
            "report": (await client.other.report(title="one")).result,
        }


async def called(url: str):
    """Is called by the server, and stays until it is told to go."""
    page = Page()
    async with connect(url, page):
        while "go" not in page.told:
            await asyncio.sleep(0.01)
        return page.told


async def nested(url: str):
    """Its own call is open while the server calls it back."""
    async with connect(url) as client:
        return (await client.other.deploy(version="v2")).result


async def keep_alive(url: str):
    """Pings every 20 ms; a wrong answer ends its task."""
    async with connect(url, keep_alive=0.02) as client:
        await asyncio.sleep(0.5)
        return {
            "alive": not client._keep_alive_task.done(),
            "closed": client.channel.isClosed(),
            "id": (await client.other._get_channel_id_()).result,
        }


async def failing(url: str):
    """Two calls are open when one of them fails; then a new connection goes on."""
    outcomes = []
    for method, args in [("fail", {}), ("unknown", {}), ("add", {"a": 1})]:
        async with connect(url) as client:
            other = asyncio.create_task(client.call("hang"))
            try:
                await client.call(method, args)
            except RpcChannelClosedException:
                outcomes.append("closed")
            try:
                await other
            except RpcChannelClosedException:
                outcomes.append("closed")
    async with connect(url) as client:
        outcomes.append((await client.other.add(a=1, b=2)).result)
    return outcomes


async def authenticated(url: str):
    """Brings a token in a header, a wrong one first."""
    try:
        async with connect(url, additional_headers={"X-Token": "wrong"}):
            refused = None
    except Exception as error:
        refused = error.response.status_code
    async with connect(url, additional_headers={"X-Token": "right"}) as client:
        return {"refused": refused, "name": (await client.other.name()).result}


async def not_a_number(url: str):
    """Sends what JSON has no number for; the connection goes on."""
    async with connect(url) as client:
        echoed = await client.other.echo(value=[1.5, float("nan"), float("-inf"), "NaN"])
        return [echoed.result, (await client.other.add(a=5, b=10)).result]


class BinaryJson(JsonSerializingWebSocket):
    """JSON in bytes, and nothing else."""

    def _serialize(self, msg):
        return super()._serialize(msg).encode()

    def _deserialize(self, buffer):
        return super()._deserialize(buffer.decode())


async def binary(url: str):
    """Speaks, and understands, binary frames."""
    async with connect(url, serializing_socket_cls=BinaryJson) as client:
        return (await client.other.add(a=5, b=10)).result


async def main() -> None:
    scenario, url = sys.argv[1:]
    print(json.dumps(await globals()[scenario](url)), flush=True)


end_with_parent()
asyncio.run(main())
