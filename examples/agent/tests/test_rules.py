"""What the agent answers, also to texts that are not questions."""

import pytest

import rules
from rules import Say, Situation, Turn, UseTool

VERSION = "0197b2c4-5d6e-7f80-8912-3456789abcde"
NEW = Situation(VERSION)


def said(question: str, situation: Situation = NEW) -> str:
    reply = rules.answer(question, situation)
    assert isinstance(reply, Say), reply
    return reply.text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What are your opening hours?", "from 7 am to 6 pm"),
        ("when do you CLOSE on sunday", "from 8 am to 5 pm"),
        ("how much is a flat white", "3.90"),
        ("Price list please!", "espresso"),
        ("Where is my order 10243?", "Order 10243"),
        ("Where's my parcel?", "Your last order"),
        ("do you ship abroad", "deliver by bicycle"),
        ("Which beans do you recommend?", "house blend"),
        ("Where are you?", "12 Quay Street"),
        ("Are you a robot?", "automatic concierge"),
        ("Which version are you?", VERSION),
        ("hello", rules.SUGGESTION),
        ("thanks a lot", "You are welcome"),
    ],
)
def test_known_questions_are_answered(question: str, expected: str) -> None:
    assert expected in said(question)


@pytest.mark.parametrize(
    "question", ["", "   ", "?!", "\0", "qwertz uiop", "日本語で話せますか", "a" * 100_000]
)
def test_anything_else_is_answered_with_a_suggestion(question: str) -> None:
    assert rules.SUGGESTION in said(question)


def test_earlier_questions_are_remembered_in_order() -> None:
    earlier = [
        Turn("visitor", "Do you sell tea?"),
        Turn("agent", "We do not."),
        Turn("visitor", "And cake?"),
    ]
    assert said("What did I ask before?", Situation(VERSION, earlier)) == (
        "Before this you asked: “Do you sell tea?”, “And cake?”."
    )
    assert said("what did I ask before") == "You have not asked me anything before this."


def test_only_a_resumed_conversation_is_welcomed_back_with_its_last_question() -> None:
    assert "Harbour Coffee" in rules.greeting()
    assert "“And cake?”" in rules.welcome_back(
        [Turn("visitor", "Tea?"), Turn("visitor", "And cake?")]
    )
    assert rules.welcome_back([]).startswith("Welcome back!")
    assert len(rules.welcome_back([Turn("visitor", "x" * 5_000)])) < 300


def test_contact_opens_the_form_and_goodbye_ends() -> None:
    assert rules.answer("Can someone contact me?", NEW) == UseTool(
        "show_form", {"form_id": rules.CONTACT_FORM}
    )
    assert rules.answer("ok, goodbye", NEW) == UseTool("end_conversation")


def test_what_follows_a_tool_depends_on_its_outcome() -> None:
    assert "short form" in rules.after_tool("show_form", "shown")
    assert "@" in rules.after_tool("show_form", "unavailable")
    assert "Goodbye" in rules.after_tool("end_conversation", "ending")
    assert rules.SUGGESTION in rules.after_tool("end_conversation", "failed")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"submitted": True, "values": {"name": " Ada "}}, "Thank you, Ada!"),
        ({"submitted": True, "values": {"email": "ada@example.com"}}, "Thank you!"),
        ({"submitted": True, "values": {"name": "x" * 500}}, "Thank you! "),
        ({"submitted": True, "values": None}, "Thank you! "),
        ({"dismissed": True}, "later"),
        ({}, "later"),
    ],
)
def test_a_form_is_confirmed_or_stays(answer: dict[str, object], expected: str) -> None:
    assert expected in rules.after_form(answer)


def test_the_title_is_that_of_the_page_as_it_is_now() -> None:
    now = Situation(VERSION, page_state={"url": "https://shop.example/", "title": "Huila"})
    text = said("What do you know about this page?", now)
    assert text == "You are reading “Huila”. The page sent no details about itself."


def test_the_context_of_the_page_is_shortened() -> None:
    page = {"product": "Huila", "price": 14, "nested": {"a": 1}, "long": "y" * 5_000}
    text = said("What do you know about this page?", Situation(VERSION, page_context=page))
    assert text.startswith("The page sent these details: product: Huila; price: 14;")
    assert len(text) < 500


@pytest.mark.parametrize("phrase", rules.spoken_phrases())
def test_every_spoken_phrase_has_an_answer(phrase: str) -> None:
    reply = rules.answer(phrase, NEW)
    assert isinstance(reply, UseTool) or "do not know" not in reply.text
