"""The rules behind the interface of a language model."""

import json

from livekit.agents import llm

import rules
from model import RulesModel, split_words

VERSION = "0197b2c4-5d6e-7f80-8912-3456789abcde"


def model(page_context: dict[str, object] | None = None) -> RulesModel:
    return RulesModel(
        agent_version_id=VERSION,
        mode=lambda: "voice",
        page_context=page_context if page_context is not None else {},
    )


def chat(*turns: tuple[llm.ChatRole, str]) -> llm.ChatContext:
    context = llm.ChatContext.empty()
    for role, text in turns:
        context.add_message(role=role, content=text)
    return context


async def test_an_answer_is_streamed_word_by_word() -> None:
    stream = model().chat(
        chat_ctx=chat(("assistant", "Hello."), ("user", "Which version are you?"))
    )
    words = [chunk.delta.content async for chunk in stream if chunk.delta and chunk.delta.content]
    assert "".join(words) == f"I am version {VERSION} of this agent."
    assert len(words) == 7


async def test_only_what_was_said_before_the_question_counts_as_earlier() -> None:
    asked = chat(
        ("user", "Do you sell tea?"), ("assistant", "No."), ("user", "What did I ask before?")
    )
    assert model().reply(asked) == rules.Say("Before this you asked: “Do you sell tea?”.")


async def test_a_tool_is_called_and_its_outcome_put_into_words() -> None:
    context = chat(("user", "Can someone contact me?"))
    reply = await model().chat(chat_ctx=context).collect()
    assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == [
        ("show_form", {"form_id": rules.CONTACT_FORM})
    ]
    context.insert(
        llm.FunctionCallOutput(name="show_form", call_id="1", output="unavailable", is_error=False)
    )
    assert "hello@harbour-coffee.example" in (await model().chat(chat_ctx=context).collect()).text


async def test_the_page_is_read_when_the_answer_is_made() -> None:
    page_context: dict[str, object] = {}
    subject = model(page_context)
    page_context["product"] = "Sidamo"
    asked = chat(("assistant", "Hello."), ("user", "what is on this page"))
    assert subject.reply(asked) == rules.Say("The page sent these details: product: Sidamo.")


async def test_the_answer_to_a_visitor_who_was_not_greeted_begins_with_the_greeting() -> None:
    assert model().reply(chat(("system", "Be kind."), ("user", "Where are you?"))) == rules.Say(
        "Hello, and welcome to Harbour Coffee! "
        "You find us at 12 Quay Street, right beside the old lighthouse."
    )


async def test_an_empty_chat_is_greeted() -> None:
    assert model().reply(llm.ChatContext.empty()) == rules.Say(rules.greeting())


def test_words_put_together_give_the_text() -> None:
    text = "From 7 am  to 6 pm.\nAlways."
    assert "".join(split_words(text)) == text
    assert split_words("") == []
