"""Shared by all tests: LiveKit, the service and a worker, started once."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stack import Stack, running


@pytest_asyncio.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """LiveKit, the service and a worker, for all tests of the session."""
    async with running(tmp_path_factory.mktemp("stack")) as started:
        yield started
