"""The rules behind the interface of a language model, so that a real model can replace them.

The framework passes the whole chat, as it does to any model; the reply is streamed word by word.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Never
from uuid import uuid4

from livekit.agents import llm
from livekit.agents.types import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
)

import rules
from job import Mode

SECONDS_BETWEEN_WORDS = 0.02
"""The pace of text answers, that of a fast model; speech is not slowed down."""


class RulesModel(llm.LLM[Never]):
    """Answers from `rules` instead of a language model."""

    def __init__(
        self,
        *,
        agent_version_id: str,
        mode: Callable[[], Mode],
        page_context: Mapping[str, object],
        page_state: Mapping[str, object] | None = None,
    ) -> None:
        """`page_context` is what the page says about itself, `page_state` its address and title.

        Both may change; each answer reads their current content.
        """
        super().__init__()
        self._agent_version_id = agent_version_id
        self._mode = mode
        self._page_context = page_context
        self._page_state = page_state if page_state is not None else {}

    @property
    def model(self) -> str:
        return "rules"

    @property
    def provider(self) -> str:
        return "example"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return _RulesStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    def reply(self, chat: llm.ChatContext) -> rules.Say | rules.UseTool:
        """Decide the next step from the whole chat."""
        last = chat.items[-1] if chat.items else None
        if isinstance(last, llm.FunctionCallOutput):
            return rules.Say(
                rules.after_tool(last.name, "failed" if last.is_error else last.output)
            )
        turns = build_turns(chat)
        asked = next((i for i in reversed(range(len(turns))) if turns[i].role == "visitor"), None)
        if asked is None:
            return rules.Say(rules.greeting())
        situation = rules.Situation(
            agent_version_id=self._agent_version_id,
            earlier=turns[:asked],
            page_context=dict(self._page_context),
            page_state=dict(self._page_state),
        )
        reply = rules.answer(turns[asked].text, situation)
        has_spoken = any(turn.role == "agent" for turn in turns)
        return reply if has_spoken else rules.greeted(reply)

    def seconds_between_words(self) -> float:
        return SECONDS_BETWEEN_WORDS if self._mode() == "text" else 0.0


class _RulesStream(llm.LLMStream):
    """Streams one answer."""

    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, RulesModel)
        request = uuid4().hex
        reply = model.reply(self._chat_ctx)
        if isinstance(reply, rules.UseTool):
            call = llm.FunctionToolCall(
                name=reply.name, arguments=json.dumps(dict(reply.arguments)), call_id=uuid4().hex
            )
            self._send(request, llm.ChoiceDelta(role="assistant", tool_calls=[call]))
            return
        for index, word in enumerate(split_words(reply.text)):
            if index:
                await asyncio.sleep(model.seconds_between_words())
            self._send(request, llm.ChoiceDelta(role="assistant", content=word))

    def _send(self, request: str, delta: llm.ChoiceDelta) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id=request, delta=delta))


def build_turns(chat: llm.ChatContext) -> list[rules.Turn]:
    """What visitor and agent said, oldest first, without instructions and tool calls."""
    roles: dict[str, rules.Role] = {"user": "visitor", "assistant": "agent"}
    return [
        rules.Turn(roles[item.role], item.text_content or "")
        for item in chat.items
        if isinstance(item, llm.ChatMessage) and item.role in roles
    ]


def split_words(text: str) -> list[str]:
    """Split the text into words, each with the space that follows it."""
    return re.findall(r"\S+\s*", text)
