"""What the agent of Harbour Coffee answers: a few rules instead of a language model.

Pure functions: text in, text or a tool call out. `model.py` puts the rules behind the interface of
a language model, which is the place to replace them with a real one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["visitor", "agent"]

SUGGESTION = "Ask me about opening hours, prices, or your order."
"""Part of every greeting, because by voice only `spoken_phrases` are recognized."""

CONTACT_FORM = "contact"
"""The id, in the widget's `forms`, of the form for a visitor who wants to be contacted."""


BREWING = """\
### Filter coffee for two

1. **Grind** 30 g of the *Sidamo*:
   - for paper, as fine as sand
   - for metal, a little coarser
2. Pour 500 ml of water at 94 °C, in ~~two~~ three steps.

| Step | Water | Time |
|:-----|------:|-----:|
| Bloom | 60 ml | 0:40 |
| First pour | 240 ml | 1:20 |
| Second pour | 200 ml | 3:00 |

> Too bitter? Grind coarser. Too sour? Finer.

Our timer counts along:

```
bloom 0:40 | pour 1:20 | pour 3:00 | serve within ten minutes, while it is hot
```

---

![Picture of the grind](https://harbour-coffee.example/grind.png)
"""
"""An answer with everything that the window can draw."""


@dataclass(frozen=True)
class Turn:
    """One thing that was said, in this room or in an earlier one."""

    role: Role
    text: str


@dataclass(frozen=True)
class Situation:
    """What the agent knows when it answers."""

    agent_version_id: str
    earlier: Sequence[Turn] = ()
    """Everything said before the question, oldest first."""
    page_context: Mapping[str, object] = field(default_factory=dict)
    """What the host page says about itself."""
    page_state: Mapping[str, object] = field(default_factory=dict)
    """Address and title of the page that the visitor sees now."""


@dataclass(frozen=True)
class Say:
    """Answer with this text."""

    text: str


@dataclass(frozen=True)
class UseTool:
    """Call this tool of the agent; `after_tool` answers once it has returned."""

    name: Literal["show_form", "end_conversation"]
    arguments: Mapping[str, str] = field(default_factory=dict)


WELCOME = "Hello, and welcome to Harbour Coffee!"


def greeting() -> str:
    """The first words of a new conversation."""
    return f"{WELCOME} {SUGGESTION}"


def greeted(reply: Say | UseTool) -> Say | UseTool:
    """The reply to a visitor who asked before the agent could greet."""
    if not isinstance(reply, Say):
        return reply
    # A formatted answer begins with a line of its own.
    separator = "\n\n" if "\n" in reply.text else " "
    return Say(f"{WELCOME}{separator}{reply.text}")


def welcome_back(earlier: Sequence[Turn]) -> str:
    """The first words of a resumed conversation."""
    asked = _questions(earlier)
    if not asked:
        return f"Welcome back! {SUGGESTION}"
    return f"Welcome back! You last asked: {_quoted(asked[-1])} What else would you like to know?"


def answer(question: str, situation: Situation) -> Say | UseTool:
    """Answer a typed or recognized question."""
    words = normalized(question)
    best = max(_TOPICS, key=lambda topic: topic.score(words))
    if best.score(words) == 0:
        return Say(f"I am a small demonstration and do not know that yet. {SUGGESTION}")
    match best.name:
        case "version":
            return Say(f"I am version {situation.agent_version_id} of this agent.")
        case "before":
            return Say(_recall(situation.earlier))
        case "page":
            return Say(_describe(situation))
        case "order":
            return Say(_order(words))
        case "contact":
            return UseTool("show_form", {"form_id": CONTACT_FORM})
        case "goodbye":
            return UseTool("end_conversation")
        case _:
            return Say(best.text)


def after_tool(name: str, outcome: str) -> str:
    """The words that follow a tool call that returned `outcome`."""
    if name == "show_form":
        if outcome == "shown":
            return (
                "I have opened a short form for you. "
                "Fill it in whenever you like, or just keep asking."
            )
        return (
            "You can write to hello@harbour-coffee.example, and a person will answer within a day."
        )
    if name == "end_conversation" and outcome == "ending":
        return "Thank you for stopping by. Goodbye!"
    return f"Sorry, that did not work just now. {SUGGESTION}"


def after_form(form_answer: Mapping[str, object]) -> str:
    """The words that follow a form that the visitor sent or put off, or whose time is over."""
    if form_answer.get("submitted") is not True:
        return "No problem, you can still fill in the form later."
    values = form_answer.get("values")
    name = values.get("name") if isinstance(values, Mapping) else None
    thanks = (
        f"Thank you, {name.strip()}!"
        if isinstance(name, str) and 0 < len(name.strip()) <= 60
        else "Thank you!"
    )
    return f"{thanks} We have your details, and a person will get back to you."


def spoken_phrases() -> Sequence[str]:
    """The sentences that speech recognition knows, as they are written in a transcript."""
    return [phrase for topic in _TOPICS for phrase in topic.spoken]


def normalized(text: str) -> str:
    """Lower-case words with single spaces: the form in which texts are compared."""
    return " ".join(re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower().replace("’", "'")))


def _questions(turns: Sequence[Turn]) -> list[str]:
    return [turn.text.strip() for turn in turns if turn.role == "visitor" and turn.text.strip()]


def _quoted(text: str, limit: int = 140) -> str:
    return f"“{text}”" if len(text) <= limit else f"“{text[: limit - 1].rstrip()}…”"


def _recall(earlier: Sequence[Turn]) -> str:
    asked = _questions(earlier)
    if not asked:
        return "You have not asked me anything before this."
    return f"Before this you asked: {', '.join(_quoted(question) for question in asked[-3:])}."


def _describe(situation: Situation) -> str:
    title = str(situation.page_state.get("title") or "")
    reading = f"You are reading {_quoted(title)}. " if title else ""
    known = [
        f"{key}: {value}"
        for key, value in situation.page_context.items()
        if isinstance(value, (str, int, float))
    ]
    if not known:
        return f"{reading}The page sent no details about itself."
    return f"{reading}The page sent these details: {'; '.join(known[:5])[:400]}."


def _order(words: str) -> str:
    number = re.search(r"\b(\d{3,10})\b", words)
    order = f"Order {number.group(1)}" if number else "Your last order"
    return f"{order} left our roastery this morning and should reach you tomorrow before noon."


@dataclass(frozen=True)
class _Topic:
    """One subject that the agent can answer."""

    name: str
    keywords: tuple[str, ...]
    """Transcription or short phrases that point to this topic; longer ones weigh more."""
    spoken: tuple[str, ...] = ()
    text: str = ""

    def score(self, words: str) -> int:
        padded = f" {words} "
        return sum(
            1 + keyword.count(" ") * 2 for keyword in self.keywords if f" {keyword} " in padded
        )


_TOPICS = (
    _Topic(
        "hours",
        (
            "open",
            "opening",
            "opening hours",
            "hours",
            "close",
            "closing",
            "sunday",
            "weekend",
            "when are you open",
        ),
        ("What are your opening hours?", "When are you open?"),
        "We are open from 7 am to 6 pm on weekdays, and from 8 am to 5 pm at the weekend.",
    ),
    _Topic(
        "prices",
        ("price", "prices", "cost", "costs", "how much", "expensive", "menu", "pay"),
        ("What are your prices?", "How much is a flat white?", "How much is a coffee?"),
        "An espresso is 2.80 euros, a flat white 3.90, and a bag of our house beans 12 euros.",
    ),
    _Topic(
        "order",
        (
            "order",
            "orders",
            "parcel",
            "package",
            "tracking",
            "where is my order",
            "arrive",
            "arrived",
        ),
        ("Where is my order?", "Tell me about my order."),
    ),
    _Topic(
        "delivery",
        ("deliver", "delivery", "shipping", "ship", "postage", "do you deliver"),
        (),
        "Yes. Within the city we deliver by bicycle on the same day; everywhere else it takes two "
        "days, and it is free from 30 euros.",
    ),
    _Topic(
        "beans",
        (
            "beans",
            "recommend",
            "roast",
            "blend",
            "origin",
            "about your coffee",
            "which coffee",
            "which beans",
        ),
        ("Tell me about your coffee.", "Which beans do you recommend?"),
        "We roast three coffees on the quay every Tuesday. The house blend is round and "
        "chocolatey, and forgiving in any machine. The Sidamo is light and floral, best as a "
        "filter. And the Huila has the sweetness of caramel with a little red apple, which makes "
        "it our favorite in milk. If you are not sure, start with the house blend.",
    ),
    _Topic(
        "brewing",
        ("brew", "brewing", "recipe", "grind", "how do i make"),
        (),
        BREWING,
    ),
    _Topic(
        "place",
        ("where are you", "address", "location", "find you", "directions", "parking"),
        ("Where can I find you?",),
        "You find us at 12 Quay Street, right beside the old lighthouse.",
    ),
    _Topic(
        "version",
        (
            "version",
            "which version",
            "what version",
            "which version are you",
            "release",
            "which release",
        ),
        # The recognizer often mishears "version".
        ("Which release is this?",),
    ),
    _Topic(
        "before",
        (
            "before",
            "earlier",
            "last time",
            "what did i ask",
            "what did i ask before",
            "remember",
            "do you remember me",
        ),
        ("What did I ask before?",),
    ),
    _Topic("page", ("page", "this page", "which page", "what page")),
    _Topic(
        "contact",
        (
            "contact",
            "contact me",
            "call me",
            "call me back",
            "callback",
            "a person",
            "a human",
            "someone",
            "support",
        ),
        ("Can someone contact me?", "I want to talk to a person."),
    ),
    _Topic(
        "nature",
        ("are you a robot", "are you human", "are you real", "who are you", "are you an ai"),
        ("Who are you?",),
        "I am the automatic concierge of Harbour Coffee: a demonstration that "
        "answers from a few rules.",
    ),
    _Topic("help", ("help", "what can you do", "can i ask"), ("What can you do?",), SUGGESTION),
    _Topic("hello", ("hello", "hi", "hey", "good morning"), ("Hello.",), f"Hello! {SUGGESTION}"),
    _Topic(
        "thanks",
        ("thanks", "thank you"),
        ("Thank you.",),
        "You are welcome! Is there anything else?",
    ),
    _Topic("goodbye", ("goodbye", "bye", "end the conversation", "that is all"), ("Goodbye.",)),
)
