"""Waiting for news with others, any of whom is cut off at any moment."""

import asyncio

import anyio
import pytest

from dispatcher.gateway.news import News

WAITING = 20


async def until_cut_off(news: News, scope: anyio.CancelScope) -> None:
    """As a stream waits: cancelled again and again until it has ended, once its reader has gone."""
    with scope:
        while True:
            await news.wait(lambda: False, 0.001)


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_whoever_is_cut_off_while_others_wake_holds_up_none_of_them(turns: int):
    news, come = News(), list[int]()
    scopes = [anyio.CancelScope() for _ in range(WAITING)]
    leaving = [asyncio.create_task(until_cut_off(news, scope)) for scope in scopes]
    staying = [asyncio.create_task(news.wait(lambda: bool(come), 60)) for _ in range(WAITING)]
    await asyncio.sleep(0.002)
    come.append(1)
    news.tell()
    for _ in range(turns):
        await asyncio.sleep(0)
    for scope in scopes:
        scope.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*leaving)
        assert all(await asyncio.gather(*staying))
        assert not await news.wait(lambda: len(come) > 1, 0.001)
        later = asyncio.create_task(news.wait(lambda: len(come) > 1, 60))
        await asyncio.sleep(0)
        come.append(2)
        news.tell()
        assert await later
