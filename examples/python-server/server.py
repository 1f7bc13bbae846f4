"""A FastAPI backend whose clients are React components: it is called by them, and calls them."""

import asyncio
import os
from typing import List

import uvicorn
from fastapi import FastAPI
from fastapi_websocket_rpc import RpcMethodsBase, WebsocketRPCEndpoint
from pydantic import BaseModel


class Release(BaseModel):
    version: str
    changes: List[str]


RELEASES = [
    Release(version="v1", changes=["Fix a typo"]),
    Release(version="v2", changes=["Add a dark theme", "Start faster"]),
]


class Backend(RpcMethodsBase):
    # The types of the results are needed: without one, a result becomes text.
    async def releases(self) -> List[Release]:
        return RELEASES

    async def deploy(self, version: str) -> None:
        # A task: the library reads no answer of the page while a method of it runs.
        self._task = asyncio.create_task(self._deploy(version))

    async def _deploy(self, version: str) -> None:
        page = self.channel.other
        answer = await page.confirm(text=f"Deploy {version}?")
        if answer.result != "yes":
            await page.notify(text=f"{version}: cancelled")
            return
        await page.notify(text=f"{version}: deploying …")
        await asyncio.sleep(0.2)
        await page.notify(text=f"{version}: deployed")


async def welcome(channel) -> None:
    # A task, for the same reason.
    asyncio.create_task(channel.other.notify(text="Welcome!"))


app = FastAPI()
WebsocketRPCEndpoint(Backend(), on_connect=[welcome]).register_route(app, "/ws")


class Server(uvicorn.Server):
    """Says where it listens: with PORT=0 the system chooses."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}/ws", flush=True)


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")).run()
