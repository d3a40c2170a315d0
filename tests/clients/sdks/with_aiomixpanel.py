import asyncio
import threading

from aiohttp import ClientSession
from aiomixpanel import AIOConsumer
from mixpanel import Mixpanel


def start(url, key):
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def opened():
        urls = {"events_url": f"{url}/track", "people_url": f"{url}/engage"}
        return Mixpanel(key, AIOConsumer(ClientSession(), **urls))

    mixpanel = asyncio.run_coroutine_threadsafe(opened(), loop).result()

    def send(event, properties):
        loop.call_soon_threadsafe(mixpanel.track, "u-1", event, properties)

    return send, lambda: None
