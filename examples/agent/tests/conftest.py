"""What tests share: the real line, started once."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

import stack


@pytest_asyncio.fixture(scope="session")
async def line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[stack.Stack]:
    """LiveKit, the service and a worker, for all tests of the session."""
    async with stack.running(tmp_path_factory.mktemp("line")) as running:
        yield running
