"""What a PromQL expression names: metrics, with the labels that are asked of each, and labels to group by.

It knows words and brackets, not the grammar: whether an expression is sound is for Prometheus itself to say.
"""

import dataclasses
import re

TOKENS = re.compile(r"""
    (?P<space>\s+ | \#[^\n]*) | (?P<string>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*`) |
    (?P<number>[0-9][0-9a-zA-Z_.]*(?:(?<=e)[+-][0-9]+)?) | (?P<name>[a-zA-Z_:$][a-zA-Z0-9_:$]*) |
    (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=@(){}\[\],])""", re.X)
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = LISTS | {"and", "or", "unless", "offset", "bool", "inf", "nan"}
CLOSING = {"(": ")", "{": "}", "[": "]"}


@dataclasses.dataclass
class Selector:
    """A metric that an expression reads."""

    metric: str
    function: str  # What it is handed to directly, such as rate; empty for none.
    matchers: list = dataclasses.field(default_factory=list)  # (label, operator, value)


def tokens(text):
    found, at = [], 0
    while at < len(text):
        match = TOKENS.match(text, at)
        if not match:
            raise ValueError(f"{text[at:at + 20]!r} is no PromQL: {text}")
        at = match.end()
        if match.lastgroup != "space":
            found.append((match.lastgroup, match[0]))
    open_ = []
    for kind, word in found:
        if kind == "sign" and word in CLOSING:
            open_.append(CLOSING[word])
        elif kind == "sign" and word in CLOSING.values() and (not open_ or open_.pop() != word):
            raise ValueError(f"a {word} closes nothing: {text}")
    if open_:
        raise ValueError(f"a {open_[-1]} is missing: {text}")
    return found


def names(text):
    """The selectors of an expression, and the labels in its lists (by, on, …)."""
    found = tokens(text) + [("end", "")]
    selectors, labels, at = [], set(), 0
    while at < len(found):
        kind, word = found[at]
        following = found[at + 1][1] if at + 1 < len(found) else ""
        if kind == "sign" and word == "[":
            at = next(end for end in range(at, len(found)) if found[end][1] == "]")
        elif kind == "name" and word.lower() in LISTS and following == "(":
            end = next(end for end in range(at, len(found)) if found[end][1] == ")")
            labels |= {name for of, name in found[at + 2:end] if of == "name"}
            at = end
        elif kind == "name" and word.lower() not in WORDS and following != "(" and following not in LISTS:
            before = [name for _, name in found[max(0, at - 2):at]]
            selectors.append(Selector(word, before[0] if len(before) == 2 and before[1] == "(" and before[0].isidentifier() else ""))
            if following == "{":
                end = next(end for end in range(at, len(found)) if found[end][1] == "}")
                selectors[-1].matchers = matchers(found[at + 2:end])
                at = end
        at += 1
    return selectors, labels


def matchers(found):
    words = [word for _, word in found if word != ","]
    return [(words[at], words[at + 1], words[at + 2][1:-1]) for at in range(0, len(words) - 2, 3)]
