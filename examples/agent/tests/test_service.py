"""The client of the widget service when the service, or a proxy in between, fails.

`test_conversation.py` uses the real service; the server here produces failures that it does not.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

import service
from rules import Turn
from service import ServiceError, WidgetService

CONVERSATION = "0197b2c4-5d6e-7f80-8912-3456789abcde"
KEY = "ak_1.a-secret"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RETRY_DELAYS_SECONDS", (0.0, 0.0, 0.0))


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
            await client.find_conversation(CONVERSATION)
    assert KEY not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_temporary_failure_is_marked(status: int) -> None:
    assert (await fault(lambda: web.Response(status=status))).is_temporary


@pytest.mark.parametrize(("failures", "succeeds"), [(0, True), (3, True), (4, False)])
async def test_what_may_be_over_soon_is_tried_four_times(failures: int, succeeds: bool) -> None:
    requests = 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        return web.Response(status=503 if requests <= failures else 204)

    async with answering(handler) as client:
        if succeeds:
            await client.end(CONVERSATION)
        else:
            with pytest.raises(ServiceError):
                await client.end(CONVERSATION)
    assert requests == min(failures + 1, 4)


async def test_what_cannot_succeed_is_not_repeated() -> None:
    requests = 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal requests
        requests += 1
        return web.Response(status=403)

    async with answering(handler) as client:
        with pytest.raises(ServiceError):
            await client.find_conversation(CONVERSATION)
    assert requests == 1


@pytest.mark.parametrize("status", [302, 400, 401, 403, 409, 413, 422])
async def test_a_permanent_failure_is_not_temporary(status: int) -> None:
    assert not (
        await fault(lambda: web.Response(status=status, headers={"Location": "/elsewhere"}))
    ).is_temporary


async def test_the_code_of_a_problem_is_shown_and_its_text_is_not() -> None:
    problem = {"code": "conversation_ended", "detail": "the text that was said"}
    error = await fault(
        lambda: web.json_response(problem, status=409, content_type="application/problem+json")
    )
    assert "(conversation_ended)" in str(error)
    assert "the text that was said" not in str(error)


async def test_an_answer_that_is_not_json_is_a_fault() -> None:
    assert not (await fault(lambda: web.Response(text="<html>"))).is_temporary


async def test_a_refused_connection_is_temporary() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        async with WidgetService(f"http://127.0.0.1:{probe.getsockname()[1]}", KEY) as client:
            with pytest.raises(ServiceError) as raised:
                await client.end(CONVERSATION)
    assert raised.value.is_temporary


async def test_a_hanging_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TIMEOUT_SECONDS", 0.05)

    async def handler(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with answering(handler) as client:
        with pytest.raises(ServiceError, match="TimeoutError") as raised:
            await client.find_conversation(CONVERSATION)
    assert raised.value.is_temporary


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"is_open": True}, True),
        ({"is_open": False}, False),
        ({"is_open": "true"}, False),
        ({}, False),
    ],
)
async def test_a_conversation_is_open_when_the_service_says_so(
    fields: dict[str, object], expected: bool
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"messages": [], **fields})

    async with answering(handler) as client:
        assert (await client.find_conversation(CONVERSATION)).is_open is expected


async def test_an_unknown_conversation_is_not_open() -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"code": "conversation_not_found"}, status=404)

    async with answering(handler) as client:
        assert not (await client.find_conversation(CONVERSATION)).is_open


async def test_an_erased_conversation_is_not_open_and_drops_what_is_said() -> None:
    requests: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        requests.append(request.method)
        return web.json_response({"code": "conversation_erased"}, status=410)

    message = service.Message("1", "agent", "Hello", "2026-01-31T09:30:00Z")
    async with answering(handler) as client:
        assert not (await client.find_conversation(CONVERSATION)).is_open
        await client.append(CONVERSATION, [message])
        await client.end(CONVERSATION)
    assert requests == ["GET", "POST", "POST"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"room_name": "new"}, {"new"}),
        ({"room_name": None}, {"old", "new"}),
        ({"room_name": 7}, {"old", "new"}),
        ({}, {"old", "new"}),
        ({"room_name": "new", "is_open": False}, set()),
    ],
)
async def test_a_conversation_continues_in_the_reported_room_or_in_any(
    fields: dict[str, object], expected: set[str]
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"is_open": True, "messages": [], **fields})

    async with answering(handler) as client:
        known = await client.find_conversation(CONVERSATION)
    assert {room for room in ("old", "new") if known.continues_in(room)} == expected


@pytest.mark.parametrize(
    "document", [{}, {"messages": None}, {"messages": [{}]}, {"messages": ["text"]}]
)
async def test_a_transcript_of_another_shape_is_a_fault(document: object) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(document)

    async with answering(handler) as client:
        with pytest.raises(ServiceError, match="shape"):
            await client.find_conversation(CONVERSATION)


async def test_the_transcript_is_used_as_the_service_answers_it() -> None:
    document = {
        "is_open": True,
        "message_waiting": True,
        "custom_metadata": {"page": {"url": "https://shop.example/", "message_waiting": True}},
        "messages": [
            {"id": "1", "role": "visitor", "text": "Tea?", "reported_by": "visitor"},
            {"id": "2", "role": "agent", "text": "With milk?", "reported_by": "agent"},
        ],
    }

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(document)

    async with answering(handler) as client:
        known = await client.find_conversation(CONVERSATION)
    assert list(known.turns) == [Turn("visitor", "Tea?"), Turn("agent", "With milk?")]
    assert known.message_waits
    assert known.message_waits_here


@pytest.mark.parametrize(
    "metadata", [None, [], {}, {"page": None}, {"page": {"message_waiting": 1}}]
)
async def test_other_metadata_announces_no_message(metadata: object) -> None:
    document = {"is_open": True, "messages": [], "custom_metadata": metadata}

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(document)

    async with answering(handler) as client:
        known = await client.find_conversation(CONVERSATION)
    assert not known.message_waits
    assert not known.message_waits_here
