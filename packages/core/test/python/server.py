"""A server of fastapi_websocket_rpc, for clients of ours. Prints the port that it listens on.

/text and /binary differ in their frames; on /identified it asks its clients who they are; /guarded wants
a token.
"""

import asyncio
import os
from typing import List, Optional

import uvicorn
from fastapi import Depends, FastAPI, Header, WebSocket, WebSocketException, status
from fastapi_websocket_rpc import RpcMethodsBase, WebsocketRPCEndpoint
from fastapi_websocket_rpc.schemas import WebSocketFrameType
from fastapi_websocket_rpc.simplewebsocket import JsonSerializingWebSocket
from pydantic import BaseModel

from parent import end_with_parent


class Author(BaseModel):
    name: str
    email: Optional[str] = None


class Report(BaseModel):
    title: str
    pages: int
    authors: List[Author]


class Methods(RpcMethodsBase):
    def __init__(self) -> None:
        super().__init__()
        self.answers: List[str] = []

    def _copy_(self):
        copied = super()._copy_()
        copied.answers = []
        return copied

    async def add(self, a: int, b: int) -> int:
        return a + b

    async def add_untyped(self, a, b):
        return a + b

    async def report(self, title: str) -> Report:
        return Report(title=title, pages=3, authors=[Author(name="Ada"), Author(name="Alan")])

    async def reports(self) -> List[Report]:
        return [await self.report("one"), await self.report("two")]

    async def nothing(self) -> None:
        return None

    async def numbers(self) -> List[float]:
        return [1.5, float("nan"), float("inf"), float("-inf")]

    async def slow(self, ms: int) -> str:
        await asyncio.sleep(ms / 1000)
        return "done"

    async def pid(self) -> int:
        return os.getpid()

    async def fail(self) -> None:
        raise ValueError("a secret")

    async def misuse(self) -> None:
        # The library takes a ValidationError for a bad frame: it logs it, and never answers.
        Author.model_validate({})

    async def ask(self, text: str) -> None:
        """Calls the client back the way this library allows: when the call is over."""
        asyncio.create_task(self._ask(text))

    async def _ask(self, text: str) -> None:
        answer = await self.channel.other.confirm(text=text)
        self.answers.append(answer.result)
        await self.channel.other.notify(text=f"you said {answer.result}")

    async def answers_so_far(self) -> List[str]:
        return self.answers

    async def ask_at_once(self, text: str) -> str:
        """Waits for the client within its own call, and so for ever: nobody reads meanwhile."""
        answer = await self.channel.other.confirm(text=text)
        return answer.result

    async def ping_me(self) -> None:
        asyncio.create_task(self._ping_me())

    async def _ping_me(self) -> None:
        answer = await self.channel.other._ping_()
        await self.channel.other.notify(text=f"ping: {answer.result}")

    async def who_am_i(self) -> str:
        return await self.channel.get_other_channel_id()


class BinaryJson(JsonSerializingWebSocket):
    """JSON in bytes, as binary frames need it."""

    def _serialize(self, msg):
        return super()._serialize(msg).encode()


async def greet(channel) -> None:
    # Not awaited: the endpoint reads nothing until this is over.
    asyncio.create_task(channel.other.notify(text="Welcome!"))


app = FastAPI()
WebsocketRPCEndpoint(Methods(), on_connect=[greet]).register_route(app, "/text")
WebsocketRPCEndpoint(
    Methods(), frame_type=WebSocketFrameType.Binary, serializing_socket_cls=BinaryJson
).register_route(app, "/binary")
WebsocketRPCEndpoint(Methods(), rpc_channel_get_remote_id=True).register_route(app, "/identified")

guarded = WebsocketRPCEndpoint(Methods())


async def verify_token(x_token: Optional[str] = Header(default=None)) -> None:
    if x_token != "right":
        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)


@app.websocket("/guarded")
async def guarded_route(websocket: WebSocket, _: None = Depends(verify_token)) -> None:
    await guarded.main_loop(websocket)


class Server(uvicorn.Server):
    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


end_with_parent()
Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical")).run()
