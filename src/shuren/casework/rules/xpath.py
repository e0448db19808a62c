"""XPath as XLSForm writes it, in the language of forms: the part of it that can be said in both.

`${field}`, numbers, texts, `= != < <= > >=`, `and or not()`, `+ - * div mod`, `selected() if() today() true() false()`,
`sum() min() max() count() round()`, and `.` for the field itself. Whatever else stands there is a fault, never left out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from shuren.casework.rules.expressions import LONGEST
from shuren.casework.rules.specs.form import FieldType

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<name>\$\{\s*[^}\s]+\s*\})
    | (?P<number>\d+(?:\.\d+)?|\.\d+)
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<word>[A-Za-z_][\w-]*)
    | (?P<sign><=|>=|!=|[=<>+*(),.\-])
    )""",
    re.VERBOSE,
)
_COMPARED = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MULTIPLIED = {"*": "*", "div": "/", "mod": "%"}
_SAME = frozenset({"sum", "min", "max", "count", "round"})
_KNOWN = _SAME | {"true", "false", "today", "not", "if", "selected"}
_DEEPEST = 60


class XPathFault(ValueError):
    """It cannot be said in the language of forms; the text says which part."""


@dataclass(frozen=True, slots=True)
class Ref:
    """What a name of the file is called here: the text in expressions, and what kind of field it is."""

    text: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class _Part:
    """A part already translated; `ref` where it is a field alone, `literal` where it is a text or number alone."""

    text: str
    ref: Ref | None = None
    literal: str | None = None
    is_called: bool = False

    @property
    def inner(self) -> str:
        """As an operand: in brackets unless it is one word, or a function with its own."""
        is_one = self.ref is not None or self.literal is not None or self.is_called
        return self.text if is_one else f"({self.text})"


def expression_of(xpath: str, names: Mapping[str, Ref], *, own: Ref | None = None) -> str:
    """The expression that says the same; `own` is what `.` means. Raises `XPathFault`."""
    if len(xpath) > LONGEST:
        raise XPathFault(_("公式超过 %(count)d 个字。") % {"count": LONGEST})
    reading = _Reading(_tokens(xpath), names, own)
    part = reading.either()
    if reading.ahead:
        raise XPathFault(_("读不懂“%(part)s”。") % {"part": reading.ahead})
    return part.text


def _tokens(xpath: str) -> list[str]:
    found, place, text = [], 0, xpath.replace("‘", "'").replace("’", "'").replace("“", '"').replace("”", '"').rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise XPathFault(_("读不懂“%(part)s”。") % {"part": text[place : place + 30].strip()})
        found.append(match[0].strip())
        place = match.end()
    return found


class _Reading:
    """One expression read from left to right, the loosest operator first."""

    def __init__(self, tokens: list[str], names: Mapping[str, Ref], own: Ref | None) -> None:
        self._tokens, self._names, self._own = tokens, names, own
        self._place = self._depth = 0

    @property
    def ahead(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        taken = self.ahead
        self._place += 1
        return taken

    def _expect(self, sign: str) -> None:
        if self._take() != sign:
            raise XPathFault(_("少了“%(sign)s”。") % {"sign": sign})

    def _go_deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise XPathFault(_("括号或负号套得太深。"))

    def either(self) -> _Part:
        self._go_deeper()
        found = self._joined("or", lambda: self._joined("and", self._compared))
        self._depth -= 1
        return found

    def _joined(self, word: str, below: Callable[[], _Part]) -> _Part:
        parts = [below()]
        while self.ahead == word:
            self._take()
            parts.append(below())
        return parts[0] if len(parts) == 1 else _Part(f" {word} ".join(part.inner for part in parts))

    def _compared(self) -> _Part:
        left = self._added()
        while self.ahead in _COMPARED:
            sign = _COMPARED[self._take()]
            left = _comparison(left, sign, self._added())
        return left

    def _added(self) -> _Part:
        left = self._multiplied()
        while self.ahead in ("+", "-"):
            sign = self._take()
            left = _Part(f"{left.inner} {sign} {self._multiplied().inner}")
        return left

    def _multiplied(self) -> _Part:
        left = self._signed()
        while self.ahead in _MULTIPLIED:
            sign = _MULTIPLIED[self._take()]
            left = _Part(f"{left.inner} {sign} {self._signed().inner}")
        return left

    def _signed(self) -> _Part:
        if self.ahead != "-":
            return self._single()
        self._take()
        self._go_deeper()
        part = self._signed()
        self._depth -= 1
        return _Part(f"-{part.text}", literal=f"-{part.literal}") if part.literal else _Part(f"-{part.inner}")

    def _single(self) -> _Part:
        word = self._take()
        if not word:
            raise XPathFault(_("没有写完。"))
        if word.startswith("${"):
            return self._named(word[2:-1].strip())
        if word == "." and self._own is not None:
            return _Part(self._own.text, ref=self._own)
        if word[0] in "'\"":
            return _quoted(word[1:-1])
        if word[-1].isdigit() and word[0] in ".0123456789":
            number = f"{Decimal(word):f}"
            return _Part(number, literal=number)
        if word == "(":
            inner = self.either()
            self._expect(")")
            return inner
        if self.ahead == "(":
            return self._called(word)
        raise XPathFault(_("读不懂“%(part)s”。") % {"part": word})

    def _named(self, name: str) -> _Part:
        ref = self._names.get(name)
        if ref is None:
            raise XPathFault(_("没有名为“%(name)s”的问题。") % {"name": name})
        return _Part(ref.text, ref=ref)

    def _called(self, name: str) -> _Part:
        if name not in _KNOWN:
            raise _unknown(name)
        self._expect("(")
        told: list[_Part] = []
        while self.ahead != ")":
            told.append(self.either())
            if self.ahead != ")":
                self._expect(",")
        self._take()
        return _call(name, told)


def _quoted(text: str) -> _Part:
    if "\\" in text or "'" in text:
        raise XPathFault(_("文字里不能有引号或反斜线：“%(part)s”。") % {"part": text[:30]})
    return _Part(f"'{text}'", literal=text)


def _call(name: str, told: list[_Part]) -> _Part:
    texts = ", ".join(part.text for part in told)
    if name in ("true", "false") and not told:
        return _Part(name, is_called=True)
    if name == "today" and not told:
        return _Part("today()", is_called=True)
    if name == "not" and len(told) == 1:
        return _Part(f"not {told[0].inner}")
    if name == "if" and len(told) == 3:
        question, yes, no = told
        return _Part(f"{yes.inner} if {question.inner} else {no.inner}")
    if name == "selected" and len(told) == 2 and told[0].ref and told[1].literal is not None:
        value = f"'{told[1].literal}'"
        is_many = told[0].ref.type is FieldType.CODES
        return _Part(f"{value} in {told[0].text}" if is_many else f"{told[0].text} == {value}")
    if name in _SAME and told and not (name == "count" and len(told) > 1):
        return _Part(f"{name}({texts})", is_called=True)
    raise _unknown(name)


def _unknown(name: str) -> XPathFault:
    return XPathFault(_("平台的公式里没有“%(name)s()”的这种用法。") % {"name": name})


def _comparison(left: _Part, sign: str, right: _Part) -> _Part:
    for one, other in ((left, right), (right, left)):
        if one.ref is not None and other.literal == "" and sign in ("==", "!="):
            is_filled = _Part(f"filled({one.text})", is_called=True)
            return is_filled if sign == "!=" else _Part(f"not {is_filled.text}")
        if one.ref is not None and one.ref.type is FieldType.CODES and other.literal is not None:
            raise XPathFault(_("多选题要用 selected() 判断。"))
    return _Part(f"{_beside(left, right)} {sign} {_beside(right, left)}")


def _beside(part: _Part, other: _Part) -> str:
    """A code is a text, and a number is none, however the file writes it."""
    kind = other.ref.type if other.ref else None
    if part.literal is None or kind is None:
        return part.inner
    is_number = not part.text.startswith("'")
    if kind in (FieldType.CODE, FieldType.TEXT, FieldType.PARAGRAPH) and is_number:
        return f"'{part.literal}'"
    if kind in (FieldType.INTEGER, FieldType.DECIMAL) and re.fullmatch(r"-?\d+(\.\d+)?", part.literal):
        return part.literal
    return part.text
