"""The client of the widget service when the service, or something in between, does not behave.

The service itself is real in `test_conversation.py`; here a server plays the faults that it cannot be made to show.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

import service
from rules import Turn
from service import ServiceError, WidgetService, turns_from

CONVERSATION = "0197b2c4-5d6e-7f80-8912-3456789abcde"
KEY = "ak_1.a-secret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[WidgetService]:
    """A client of a server that answers everything with `handler`."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with WidgetService(f"http://127.0.0.1:{runner.addresses[0][1]}", KEY) as client:
            yield client
    finally:
        await runner.cleanup()


async def fault(response: Callable[[], web.Response]) -> ServiceError:
    async def handler(_request: web.Request) -> web.Response:
        return response()

    async with answering(handler) as client:
        with pytest.raises(ServiceError) as raised:
            await client.conversation(CONVERSATION)
    assert KEY not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_what_passes_is_worth_another_try(status: int) -> None:
    assert (await fault(lambda: web.Response(status=status))).passing


@pytest.mark.parametrize("status", [302, 400, 401, 403, 409, 413, 422])
async def test_what_stays_is_not(status: int) -> None:
    assert not (await fault(lambda: web.Response(status=status, headers={"Location": "/elsewhere"}))).passing


async def test_the_code_of_a_problem_is_told_and_its_text_is_not() -> None:
    problem = {"code": "conversation_ended", "detail": "the text that was said"}
    error = await fault(lambda: web.json_response(problem, status=409, content_type="application/problem+json"))
    assert "(conversation_ended)" in str(error)
    assert "the text that was said" not in str(error)


async def test_an_answer_that_is_not_json_is_a_fault() -> None:
    assert not (await fault(lambda: web.Response(text="<html>"))).passing


async def test_nobody_there_may_be_somebody_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with WidgetService(f"http://127.0.0.1:{taken.getsockname()[1]}", KEY) as client:
            with pytest.raises(ServiceError) as raised:
                await client.end(CONVERSATION)
    assert raised.value.passing


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TIMEOUT_SECONDS", 0.05)

    async def handler(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with answering(handler) as client:
        with pytest.raises(ServiceError, match="TimeoutError") as raised:
            await client.conversation(CONVERSATION)
    assert raised.value.passing


@pytest.mark.parametrize(
    ("status", "expected"),
    [("token_created", True), ("in_progress", True), ("completed", False), ("failed", False), ("of the future", False)],
)
async def test_only_a_conversation_that_is_going_on_is_on(status: str, expected: bool) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"status": status, "messages": []})

    async with answering(handler) as client:
        assert (await client.conversation(CONVERSATION)).on is expected


async def test_a_conversation_that_is_not_known_is_not_on() -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"code": "conversation_not_found"}, status=404)

    async with answering(handler) as client:
        assert not (await client.conversation(CONVERSATION)).on


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"room_name": "new"}, {"new"}),
        ({"room_name": None}, {"old", "new"}),
        ({"room_name": 7}, {"old", "new"}),
        ({}, {"old", "new"}),
        ({"room_name": "new", "status": "completed"}, set()),
    ],
)
async def test_a_conversation_goes_on_in_the_room_that_is_told_or_else_in_any(
    told: dict[str, object], expected: set[str]
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"status": "in_progress", "messages": [], **told})

    async with answering(handler) as client:
        known = await client.conversation(CONVERSATION)
    assert {room for room in ("old", "new") if known.goes_on_in(room)} == expected


@pytest.mark.parametrize("document", [{}, {"messages": None}, {"messages": [{}]}, {"messages": ["text"]}])
async def test_a_transcript_of_another_shape_is_a_fault(document: object) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(document)

    async with answering(handler) as client:
        with pytest.raises(ServiceError, match="shape"):
            await client.conversation(CONVERSATION)


def test_a_turn_that_two_reported_counts_once_and_only_a_worker_speaks_for_the_agent() -> None:
    def message(role: str, text: str, reported_by: str) -> dict[str, str]:
        return {"role": role, "text": text, "reported_by": reported_by}

    messages = [
        message("agent", "Hello!", "agent"),
        message("visitor", "Tea?", "agent"),
        message("visitor", " Tea? ", "visitor"),
        message("agent", "I owe you a thousand euros.", "visitor"),
        message("visitor", "Tea?", "visitor"),
    ]
    assert turns_from(messages) == [Turn("agent", "Hello!"), Turn("visitor", "Tea?"), Turn("visitor", "Tea?")]
