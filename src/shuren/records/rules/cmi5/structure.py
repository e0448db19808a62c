"""A course structure (cmi5.xml, section 13) read and checked; each refusal says where, and what mends it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid
from shuren.records.rules.cmi5.words import LAUNCH_NAMES, LaunchMethod, MoveOn, PartKind
from shuren.records.rules.values import is_iri, is_language

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
MOST_BYTES = 32 * 1024 * 1024
MOST_PARTS = 20_000
DEEPEST = 50
Chosen = TypeVar("Chosen", LaunchMethod, MoveOn)
_LONGEST = 2_000
_SCORE = re.compile(r"[+]?(?:\d+(?:\.\d*)?|\.\d+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# They would run, or read, within whoever opens them.
_UNSAFE = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source"})
_UNIT_CHILDREN = frozenset({"title", "description", "objectives", "url", "launchParameters", "entitlementKey"})
_BLOCK_CHILDREN = frozenset({"title", "description", "objectives", "au", "block"})
_ROOT_CHILDREN = frozenset({"course", "objectives", "au", "block"})


class FaultyCourse(Invalid):
    """A course that cannot be taken in; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Objective:
    id: str
    title: dict[str, str]
    description: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A block, or a unit with what its launch needs. `parent` is the place of its block in `CourseStructure.parts`."""

    kind: PartKind
    id: str
    title: dict[str, str]
    description: dict[str, str]
    parent: int | None
    objectives: tuple[str, ...] = ()
    url: str = ""
    launch_method: LaunchMethod = LaunchMethod.ANY_WINDOW
    move_on: MoveOn = MoveOn.NOT_APPLICABLE
    mastery_score: Decimal | None = None
    launch_parameters: str = ""
    entitlement_key: str = ""
    activity_type: str = ""


@dataclass(frozen=True, slots=True)
class CourseStructure:
    """`parts` stand in the order of the file, each block before what lies in it."""

    id: str
    title: dict[str, str]
    description: dict[str, str]
    objectives: tuple[Objective, ...]
    parts: tuple[Part, ...]


def read_structure(content: bytes, *, files: frozenset[str] | None) -> CourseStructure:
    """The course in `content`; `files` are the names in its package, None where cmi5.xml comes alone (14.2)."""
    if len(content) > MOST_BYTES:
        raise FaultyCourse(
            _("cmi5.xml 超过 %(most)d MB。") % {"most": MOST_BYTES // 1024 // 1024}, remedy=_("请把课程拆成几门再导入。")
        )
    root = _root(content)
    _check_children(root, _ROOT_CHILDREN, "courseStructure")
    course = _only(root, "course", "courseStructure")
    reader = _Reader(files)
    objectives = reader.objectives(root)
    parts = reader.parts(root)
    return CourseStructure(_iri(course, "course"), *_words(course, "course"), objectives=objectives, parts=parts)


def _root(content: bytes) -> Element:
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise FaultyCourse(_("cmi5.xml 里有 DTD 或实体定义。"), remedy=_("请删去 DOCTYPE 声明后再导入。")) from None
    except (ParseError, ValueError, LookupError) as error:
        raise FaultyCourse(
            _("cmi5.xml 不是完好的 XML：%(why)s。") % {"why": error}, remedy=_("请用制作工具重新导出课程。")
        ) from None
    if root.tag != f"{{{NAMESPACE}}}courseStructure":
        raise FaultyCourse(
            _("cmi5.xml 的根元素不是 cmi5 第一版的 courseStructure。"),
            remedy=_("请确认导出的是 cmi5，不是 SCORM 或 xAPI（TinCan）。"),
        )
    return root


@dataclass(slots=True)
class _Reader:
    """Reads parts one after the other, and remembers which ids were given."""

    files: frozenset[str] | None
    known_objectives: set[str] = field(default_factory=set)
    given: dict[PartKind, set[str]] = field(default_factory=lambda: {kind: set() for kind in PartKind})

    def objectives(self, root: Element) -> tuple[Objective, ...]:
        found = []
        for one in _within(root, "objectives", "objective"):
            key = _iri(one, "objective")
            if key in self.known_objectives:
                raise _twice("objective", key)
            self.known_objectives.add(key)
            found.append(Objective(key, *_words(one, f"objective {key}")))
        return tuple(found)

    def parts(self, root: Element) -> tuple[Part, ...]:
        """Without recursion: how deep a file is nested is its own choice."""
        found: list[Part] = []
        waiting: list[tuple[Element, int | None, int]] = [(one, None, 1) for one in reversed(_parts_in(root))]
        if not waiting:
            raise FaultyCourse(_("课程里没有可学习的单元。"), remedy=_("请在 cmi5.xml 里至少写一个 au。"))
        while waiting:
            element, parent, depth = waiting.pop()
            if len(found) >= MOST_PARTS or depth > DEEPEST:
                raise FaultyCourse(
                    _("课程超过 %(most)d 个单元，或者层次超过 %(deep)d 层。") % {"most": MOST_PARTS, "deep": DEEPEST},
                    remedy=_("请把课程拆成几门再导入。"),
                )
            part = self.part(element, parent)
            found.append(part)
            if part.kind is PartKind.BLOCK:
                place = len(found) - 1
                inner = _parts_in(element)
                if not inner:
                    raise FaultyCourse(
                        _("block %(id)s 里没有单元。") % {"id": part.id}, remedy=_("请删去空的 block，或在里面放入 au。")
                    )
                waiting += [(one, place, depth + 1) for one in reversed(inner)]
        return tuple(found)

    def part(self, element: Element, parent: int | None) -> Part:
        kind = PartKind(_local(element))
        key = _iri(element, kind.value)
        if key in self.given[kind]:
            raise _twice(kind.value, key)
        self.given[kind].add(key)
        where = f"{kind.value} {key}"
        _check_children(element, _UNIT_CHILDREN if kind is PartKind.UNIT else _BLOCK_CHILDREN, where)
        title, description = _words(element, where)
        objectives = tuple(_text(one.get("idref")) for one in _within(element, "objectives", "objective"))
        for reference in objectives:
            if reference not in self.known_objectives:
                raise FaultyCourse(
                    _("%(where)s 引用的目标 %(id)s 不存在。") % {"where": where, "id": reference},
                    remedy=_("请在课程开头的 objectives 里写明这个目标，或删去引用。"),
                )
        if kind is PartKind.BLOCK:
            return Part(kind=kind, id=key, title=title, description=description, parent=parent, objectives=objectives)
        return Part(
            kind=kind,
            id=key,
            title=title,
            description=description,
            parent=parent,
            objectives=objectives,
            url=_url(_text(_only(element, "url", where).text), self.files, where),
            launch_method=_choice(element, "launchMethod", LaunchMethod, LaunchMethod.ANY_WINDOW, where),
            move_on=_choice(element, "moveOn", MoveOn, MoveOn.NOT_APPLICABLE, where),
            mastery_score=_mastery(element, where),
            launch_parameters=_optional(element, "launchParameters"),
            entitlement_key=_optional(element, "entitlementKey"),
            activity_type=_activity_type(element, where),
        )


def _activity_type(element: Element, where: str) -> str:
    told = _text(element.get("activityType"))
    if told and not is_iri(told):
        raise _not_iri(f"{where} activityType", told)
    return told


def _mastery(element: Element, where: str) -> Decimal | None:
    told = _text(element.get("masteryScore"))
    if not told:
        return None
    try:
        score = Decimal(told) if _SCORE.fullmatch(told) and len(told) <= 30 else None
    except InvalidOperation:
        score = None
    if score is None or not 0 <= score <= 1 or score != round(score, 4):
        raise FaultyCourse(
            _("%(where)s 的 masteryScore %(told)s 不对。") % {"where": where, "told": told},
            remedy=_("请写 0 到 1 之间、最多四位小数的数，例如 0.85。"),
        )
    return score


def _choice(element: Element, name: str, kind: type[Chosen], default: Chosen, where: str) -> Chosen:
    told = _text(element.get(name))
    if not told:
        return default
    try:
        return kind(told)
    except ValueError:
        raise FaultyCourse(
            _("%(where)s 的 %(name)s 写的是 %(told)s。") % {"where": where, "name": name, "told": told},
            remedy=_("只能写 %(known)s 中的一个。") % {"known": "、".join(one.value for one in kind)},
        ) from None


def _url(told: str, files: frozenset[str] | None, where: str) -> str:
    """A launch address that can be opened: within the package, or somewhere else by its full name."""
    try:
        parts = urlsplit(told)
        names = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)}
    except ValueError:
        raise FaultyCourse(
            _("%(where)s 的地址 %(url)s 无法读懂。") % {"where": where, "url": told}, remedy=_("请改成正确的网址。")
        ) from None
    if not told or len(told) > _LONGEST:
        raise FaultyCourse(
            _("%(where)s 没有地址，或者地址太长。") % {"where": where}, remedy=_("请在 url 里写明从哪里打开这个单元。")
        )
    taken = sorted(names & set(LAUNCH_NAMES))
    if taken:
        raise FaultyCourse(
            _("%(where)s 的地址用了启动参数的名字：%(names)s。") % {"where": where, "names": "、".join(taken)},
            remedy=_("请给地址里的参数换个名字。"),
        )
    if _SCHEME.match(told):
        if parts.scheme.lower() in _UNSAFE or not parts.netloc:
            raise FaultyCourse(
                _("%(where)s 的地址 %(url)s 不能打开。") % {"where": where, "url": told},
                remedy=_("请写以 https:// 开头的完整网址，或包内文件的相对路径。"),
            )
        return told
    if files is None:
        raise FaultyCourse(
            _("%(where)s 的地址 %(url)s 是相对路径，但没有随课程上传文件。") % {"where": where, "url": told},
            remedy=_("请把 cmi5.xml 和文件一起打成 zip 上传，或改成完整网址。"),
        )
    if parts.netloc or unquote(parts.path).removeprefix("./") not in files:
        raise FaultyCourse(
            _("%(where)s 的地址指向包里没有的文件 %(url)s。") % {"where": where, "url": told},
            remedy=_("请把文件放进压缩包，或改正路径，注意大小写。"),
        )
    return told


def _words(element: Element, where: str) -> tuple[dict[str, str], dict[str, str]]:
    title, description = (_languages(_only(element, name, where), f"{where} {name}") for name in ("title", "description"))
    return title, description


def _languages(element: Element, where: str) -> dict[str, str]:
    """By language tag; a text without one, or with one that is none, is `und`. Of two in one language the first counts."""
    found: dict[str, str] = {}
    for one in _children(element, "langstring"):
        tag = _text(one.get("lang"))
        found.setdefault(tag if is_language(tag) else "und", _text("".join(one.itertext())))
    if not found:
        raise FaultyCourse(_("%(where)s 里没有文字。") % {"where": where}, remedy=_("请在里面写一个 langstring。"))
    return found


def _iri(element: Element, what: str) -> str:
    told = _text(element.get("id"))
    if not is_iri(told) or len(told) > _LONGEST:
        raise _not_iri(what, told)
    return told


def _not_iri(what: str, told: str) -> FaultyCourse:
    return FaultyCourse(
        _("%(what)s 的标识“%(told)s”不是 IRI。") % {"what": what, "told": told[:200]},
        remedy=_("请写带协议的完整标识，例如 https://example.org/course/1。"),
    )


def _twice(what: str, key: str) -> FaultyCourse:
    return FaultyCourse(
        _("有两个 %(what)s 用了同一个标识 %(id)s。") % {"what": what, "id": key}, remedy=_("请给每个都写不同的标识。")
    )


def _check_children(element: Element, known: frozenset[str], where: str) -> None:
    """Elements of others' namespaces may stand anywhere (13.1.5); of cmi5's own only those that it knows."""
    for child in element:
        if isinstance(child.tag, str) and child.tag.startswith(f"{{{NAMESPACE}}}") and _local(child) not in known:
            raise FaultyCourse(
                _("%(where)s 里不能有 %(name)s。") % {"where": where, "name": _local(child)[:100]},
                remedy=_("请按 cmi5 的 CourseStructure.xsd 改正。"),
            )


def _parts_in(element: Element) -> list[Element]:
    return [child for child in _cmi5(element) if _local(child) in (PartKind.BLOCK, PartKind.UNIT)]


def _only(element: Element, name: str, where: str) -> Element:
    found = list(_children(element, name))
    if len(found) != 1:
        raise FaultyCourse(
            _("%(where)s 里的 %(name)s 应该有且只有一个。") % {"where": where, "name": name},
            remedy=_("请按 cmi5 的 CourseStructure.xsd 改正。"),
        )
    return found[0]


def _optional(element: Element, name: str) -> str:
    found = next(iter(_children(element, name)), None)
    return "" if found is None else _text(found.text)


def _within(element: Element, outer: str, inner: str) -> Iterator[Element]:
    for group in _children(element, outer):
        yield from _children(group, inner)


def _children(element: Element, name: str) -> Iterable[Element]:
    return (child for child in _cmi5(element) if _local(child) == name)


def _cmi5(element: Element) -> Iterator[Element]:
    return (child for child in element if isinstance(child.tag, str) and child.tag.startswith(f"{{{NAMESPACE}}}"))


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(told: str | None) -> str:
    """Without white space around it, as every value of the structure is taken (13.1)."""
    return (told or "").strip()
