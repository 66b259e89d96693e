"""A whole draft: which kinds, what all of them share, and each kind with its schema.

Called by the verb ``draft`` through :func:`draft_of`. Pure: a document goes in, words and guesses come out.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent.definitions.vocabulary import PLATFORM_NAME, VERSION_NAME, WORD_NAME
from agent.drafting.document import Document
from agent.drafting.endpoints import Endpoint, Parameter, endpoints
from agent.drafting.families import Family, Steps, families
from agent.drafting.fields import write_spec
from agent.drafting.kinds import Maker
from agent.drafting.members import Reader
from agent.drafting.model import Draft, Guess, high, low, medium
from agent.drafting.names import slug, snake, squeezed
from agent.drafting.paging import size_of
from agent.drafting.replies import plain
from agent.drafting.security import login_paths, write_auth
from agent.errors import UsageError

KINDS_MAX = 60
"""More kinds than this are not drafted without being asked for: nobody would confirm them."""
_ME = frozenset(["me", "whoami", "self", "currentuser", "user", "userinfo", "myself", "profile", "current"])
_MESSAGES = ("message", "detail", "error", "msg", "title", "description", "reason", "errormessage", "errordescription")
_CODES = ("code", "errorcode", "type", "errortype", "reason", "key")
_VERSION_STEP = re.compile(r"v[0-9]+[a-z0-9]*")


def draft_of(document: Document, *, platform: str | None = None, kinds: Sequence[str] = ()) -> Draft:
    """The draft of a document. Raises UsageError for kinds that it does not have, and for more than are sensible."""
    reader, draft = Reader(document), Draft()
    calls = list(endpoints(document))
    everything = families(calls)
    chosen = _with_parents(_chosen(document, everything, kinds), everything)
    tenant = _tenant(chosen)
    name = platform or slug(document.title) or "platform"
    if not PLATFORM_NAME.fullmatch(name):
        raise UsageError(f"`{name[:60]}` cannot be a platform's name", fix="--platform NAME, in small letters")
    prefix = _server_path(document)
    common = _common(chosen, len(tenant))
    cut = _above_logins(document, prefix, common)
    draft.say(("platform",), name)
    version = next((s for s in (*prefix.split("/"), *common) if _VERSION_STEP.fullmatch(s)), "v1")
    draft.say(("version",), version if VERSION_NAME.fullmatch(version) else "v1")
    draft.say(("format",), 1)
    base = prefix + "".join(f"/{_tenant_step(draft, step)}" for step in cut)
    if base:
        draft.say(("base",), base)
    write_auth(document, draft, prefix)
    maker = Maker(reader, draft, {(*one.collection, "{}"): one for one in chosen}, _settings(draft), tenant)
    for family in chosen:
        maker.look(family)
    _probe(draft, maker, chosen, calls, cut, prefix)
    _errors(reader, draft, [call for one in chosen for call in one.calls])
    _budget(draft, calls)
    for family in chosen:
        maker.write(family)
        if family.managed:
            write_spec(maker, family)
    _share_pages(draft)
    _shorten(draft, cut)
    landed = {call.pointer for one in chosen for call in one.calls}
    draft.left_out = [call.line for call in calls if call.pointer not in landed]
    return draft


def names_of(document: Document) -> tuple[list[str], list[str]]:
    """The kinds that could be drafted: managed ones, and those that can only be observed."""
    found = families(endpoints(document))
    return [one.name for one in found if one.managed], [one.name for one in found if not one.managed]


def _chosen(document: Document, found: Sequence[Family], wanted: Sequence[str]) -> list[Family]:
    managed = [one for one in found if one.whole]
    if not wanted:
        if len(managed) > KINDS_MAX:
            raise UsageError(
                f"{document.name} describes {len(managed)} kinds that can be managed, more than anybody would confirm",
                why=", ".join(sorted(one.name for one in managed)),
                fix="choose with --kinds Name,Other or a pattern such as 'Repo*'; '*' takes all",
            )
        if not found:
            raise UsageError(
                f"{document.name} has no collection whose objects could be listed or managed",
                why="a kind is a path such as /books with an item /books/{id}, or one that lists and creates",
                fix="describe the platform by hand: agent/docs/your-own-platform.md",
            )
        return managed or [one for one in found if one.list is not None]
    chosen: list[Family] = []
    for pattern in wanted:
        pool = managed if "*" in pattern else found
        fitting = [one for one in pool if fnmatch.fnmatchcase(squeezed(one.name), _pattern(pattern))]
        if not fitting:
            names = ", ".join(sorted(one.name for one in found))
            raise UsageError(
                f"--kinds {pattern[:60]}: no kind of the document is called so", fix=f"it has {names}"[:2000]
            )
        chosen += [one for one in fitting if one not in chosen]
    return [one for one in found if one in chosen]


def _pattern(text: str) -> str:
    return re.sub(r"[^a-z0-9*?]", "", text.lower())


def _with_parents(chosen: Sequence[Family], found: Sequence[Family]) -> list[Family]:
    """Kinds in whose paths the chosen ones stand are drafted too, so that scopes have something to name."""
    by_item = {(*one.collection, "{}"): one for one in found if one.parameter is not None}
    wanted = list(chosen)
    for family in wanted:
        for place, step in enumerate(family.collection):
            parent = by_item.get(family.collection[: place + 1]) if step == "{}" else None
            if parent is not None and parent not in wanted:
                wanted.append(parent)
    return [one for one in found if one in wanted]


def _tenant(chosen: Sequence[Family]) -> Steps:
    """The steps that all kinds begin with, where they hold a parameter: an organisation, which the settings name."""
    owned = {(*one.collection, "{}") for one in chosen}
    common = _common_steps([one.collection[:-1] for one in chosen])
    ends = [place + 1 for place, step in enumerate(common) if step == "{}" and common[: place + 1] not in owned]
    return (
        common[: max(ends)]
        if ends and len(chosen) > 1 and not any(common[:n] in owned for n in range(max(ends) + 1))
        else ()
    )


def _common(chosen: Sequence[Family], tenant: int) -> Steps:
    """The steps that every call of every kind begins with, with the names that the parameters have."""
    calls = [call.steps for one in chosen for call in one.calls]
    common = _common_steps([one.collection[:-1] for one in chosen])
    end = next((place for place, step in enumerate(common) if step == "{}" and place >= tenant), len(common))
    for steps in calls:
        end = min(end, len(steps) - 1)
    return calls[0][:end] if calls else ()


def _above_logins(document: Document, prefix: str, cut: Steps) -> Steps:
    """As much of the common steps as a login stands below, too: every request line has the same base."""
    for path in login_paths(document):
        steps = tuple(path.removeprefix(prefix).split("/")[1:])
        same = next((n for n, (a, b) in enumerate(zip(cut, steps, strict=False)) if a != b), min(len(cut), len(steps)))
        cut = cut[:same]
    return cut


def _common_steps(paths: Sequence[Steps]) -> Steps:
    common = paths[0] if paths else ()
    for path in paths:
        length = next(
            (n for n, (a, b) in enumerate(zip(common, path, strict=False)) if a != b), min(len(common), len(path))
        )
        common = common[:length]
    return common


def _tenant_step(draft: Draft, step: str) -> str:
    return _settings(draft)(step[1:-1], None) if step.startswith("{") else step


def _settings(draft: Draft) -> Any:
    """Makes a setting of the target and gives its placeholder."""

    def placeholder(name: str, parameter: Parameter | None) -> str:
        word = snake(name) or "setting"
        word = word if WORD_NAME.fullmatch(word) else f"of_{word}"
        if draft.said(("settings", word)) is None:
            words: dict[str, Any] = {"type": "string"}
            if parameter is not None and parameter.description:
                words["description"] = parameter.description[:200]
            told = "a part of every path" if parameter is None else "a parameter that the call must have"
            draft.say(("settings", word), words, medium(told))
        return f"{{settings.{word}}}"

    return placeholder


def _server_path(document: Document) -> str:
    """The path that the document's own address ends with."""
    value = document.value
    text: Any = value.get("basePath") if document.dialect == "2.0" else None
    servers = value.get("servers")
    if document.dialect != "2.0" and isinstance(servers, list) and servers and isinstance(servers[0], dict):
        text = servers[0].get("url")
        variables = servers[0].get("variables")
        for name, one in variables.items() if isinstance(text, str) and isinstance(variables, dict) else ():
            default = one.get("default") if isinstance(one, dict) else None
            text = text.replace("{" + str(name) + "}", str(default)) if default is not None else text
    path = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*|^//[^/]*", "", text).strip() if isinstance(text, str) else ""
    path = "/" + path.strip("/") if path.strip("/") else ""
    good = re.fullmatch(r"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@]+)*", path) and not {".", ".."} & set(path.split("/"))
    if not good:
        document.tell("/servers", "the path of its server is left out: it is not plain", got=path)
    return path if good else ""


def _probe(
    draft: Draft, maker: Maker, chosen: Sequence[Family], calls: Sequence[Endpoint], cut: Steps, prefix: str
) -> None:
    """A cheap GET that needs the credential: who one is, else the first list without a parent."""
    me = [
        call
        for call in calls
        if call.method == "GET"
        and not call.open
        and call.steps[: len(cut)] == cut
        and call.steps
        and squeezed(call.steps[-1]) in _ME
        if not any(step.startswith("{") for step in call.steps[len(cut) :])
        and not any(p.required for p in call.parameters)
    ]
    if me:
        call = min(me, key=lambda one: len(one.steps))
        draft.say(("probe",), f"GET {call.path}", high("it tells whom the credential speaks for"))
        return
    lists = [
        one for one in chosen if one.list is not None and one.list.method == "GET" and not maker.words_of_scope(one)
    ]
    if lists:
        family = min(lists, key=lambda one: len(maker.line(one, one.list)) if one.list else 0)
        assert family.list is not None
        line = maker.line(family, family.list)
        size = size_of(maker.reader, family.list)
        draft.say(
            ("probe",), f"{line}{'&' if '?' in line else '?'}{size}=1" if size else line, medium("the shortest list")
        )
        return
    plain_ones = [
        call
        for call in calls
        if call.method == "GET" and not call.open and call.steps and squeezed(call.steps[-1]) in ("version", "info")
        if not any(step.startswith("{") for step in call.steps) and call.steps[: len(cut)] == cut
    ]
    if plain_ones:
        call = max(plain_ones, key=lambda one: len(one.steps))
        draft.say(("probe",), f"GET {call.path}", low("whether it asks for the credential is not said"))


def _errors(reader: Reader, draft: Draft, calls: Sequence[Endpoint]) -> None:
    """Where an error says what is wrong, as most of the documented failures have it."""
    votes: Counter[tuple[str, str | None]] = Counter()
    for call in calls:
        for schema in call.failures:
            found = _failure(reader, schema)
            if found is not None:
                votes[found] += 1
    if not votes:
        draft.lost.append(
            "no answer that tells an error has a schema: `errors` is left out, and a 404 counts by its status"
        )
        return
    (message, code), times = votes.most_common(1)[0]
    words = {"message": message} | ({"code": code} if code else {})
    share = times / sum(votes.values())
    told = f"{times} of {sum(votes.values())} documented errors"
    draft.say(("errors",), words, high(told) if share > 0.8 else medium(told) if share > 0.4 else low(told))


def _failure(reader: Reader, schema: Any) -> tuple[str, str | None] | None:
    members = reader.members(schema)
    for prefix, found in [("", members), *((f"{plain(n)}.", reader.members(s)) for n, s in members.schemas.items())]:
        folded = {squeezed(name): name for name in reversed(list(found.schemas))}
        for word in _MESSAGES:
            name = folded.get(word)
            if name is None or (reader.members(found.schemas[name]) and word not in ("detail",)):
                continue
            code = next((folded[one] for one in _CODES if one in folded and folded[one] != name), None)
            return prefix + plain(name), prefix + plain(code) if code and code in found.required else None
    return None


def _budget(draft: Draft, calls: Sequence[Endpoint]) -> None:
    """Headers that tell what is left; how much there is, no document says in a form that could be read."""
    seen = {header for call in calls for header in call.headers}
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
        found = {word: prefix + word for word in ("limit", "remaining", "reset") if prefix + word in seen}
        if "remaining" in found:
            draft.say(("budget", "headers"), found, high("headers of the answers"))
            return


def _share_pages(draft: Draft) -> None:
    """What most lists say of their pages is said once at the top."""
    kinds = [name for name in draft.words.get("kinds", {}) if draft.said(("kinds", name, "list", "pages")) is not None]
    votes = Counter(repr(draft.said(("kinds", name, "list", "pages"))) for name in kinds)
    if not votes:
        return
    shared = votes.most_common(1)[0][0]
    holders = [name for name in kinds if repr(draft.said(("kinds", name, "list", "pages"))) == shared]
    guess: Guess | None = None
    value = draft.said(("kinds", holders[0], "list", "pages"))
    for name in holders:
        path = ("kinds", name, "list", "pages")
        guess = guess or draft.guesses.get(path)
        draft.unsay(path)
    draft.say(("pages",), value, guess)


def _shorten(draft: Draft, cut: Steps) -> None:
    """Request lines without the steps that ``base`` says."""
    steps = [_tenant_step(draft, step) for step in cut]
    prefix = "".join(f" /{steps[0]}" if n == 0 else f"/{step}" for n, step in enumerate(steps))
    if not prefix:
        return

    def shorter(line: str) -> str:
        method, _, path = line.partition(" ")
        whole = f" {path}"
        return f"{method} {whole[len(prefix) :]}" if whole.startswith(f"{prefix}/") else line

    if "probe" in draft.words:
        draft.words["probe"] = shorter(draft.words["probe"])
    for kind in draft.words.get("kinds", {}).values():
        for operation in ("list", "get", "create", "apply", "update", "delete"):
            if operation in kind:
                kind[operation]["request"] = shorter(kind[operation]["request"])
