"""Stories drawn around one danger each, so that a missing guard shows in tens of seeds and not in thousands.

The ordinary draw of the simulation is one of them.
"""

from __future__ import annotations

import json

from tests.simulation.journal_check import LATENCY
from tests.simulation.sabotage import cells
from tests.simulation.sabotage.teller import NAMES, Tale, Teller, invalid, manifest, tale
from tests.simulation.story import TOKEN, Happening, World, draw_story, secret, workflow

LOST = (
    {"fault": "server-error-after"},
    {"fault": "answer-lost"},
    {"fault": "html-after"},
    {"fault": "request-timeout", "after": True},
    {"fault": "redirect", "after": True},
    {"fault": "not-found", "after": True, "body": "<html>gone</html>", "content_type": "text/html", "label": "proxy"},
    {"fault": "cut"},
    {"fault": "broken-json"},
    {"do": "set", "at": "/resource", "value": None, "label": "no-object"},
)
"""The request had its effect, and its answer does not say so."""
FALSE = (
    {"fault": "html"},
    {"fault": "server-error"},
    {"do": "answer", "status": 200, "body": {"error": {"code": "QUOTA", "message": "no"}}, "label": "failed-as-200"},
    {"do": "answer", "status": 200, "body": {"message": "ok"}, "label": "no-object"},
    {
        "do": "answer",
        "status": 200,
        "body": {"resource": {"name": "other", "type": "workflow", "workspace": "public"}},
        "label": "another",
    },
    {"fault": "reset"},
)
"""The request had no effect, and its answer does not say so either."""
NOWHERE = {"fault": "not-found", "label": "nowhere", "method": "GET"}
"""Every read answers in the platform's own words that nothing is there: a wrong base path looks like this."""


DRAWN = Tale("drawn", draw_story, World)
KILLED = Tale("killed", draw_story, World, kills=120)


def _writes(teller: Teller) -> None:
    """Made, changed and removed in a hurry, and most answers are lost or false."""
    chance = teller.chance
    names = teller.some(2, 3)
    for method in ("POST", "PUT", "DELETE"):
        rule = chance.choice(LOST if teller.maybe(0.6) else FALSE)
        teller.fault(rule, method=method, times=chance.randint(1, 3), probability=chance.choice((0.5, 1.0)))
    teller.starts(names, tags=["ours"])
    teller.after(2.0, 28.0)
    if teller.maybe():
        teller.remove(names[0])
    else:
        teller.edit(names[0])
    teller.after(10.0, 60.0).edit(*names[1:])
    teller.after(10.0, 60.0).remove(*names[1:])
    if teller.maybe(0.3):
        teller.after(1.0, 30.0).edit(names[0])


WRITES = tale("writes", cells.Cell)(_writes)
WRITES_REPORTED = tale("writes-reported", cells.Reporting)(_writes)


@tale("deaths", cells.Hurried, kills=120)
def DEATHS(teller: Teller) -> None:
    """A process dies while what it sent is on its way, and git goes on."""
    names = teller.some(2, 3)
    for method in ("POST", "PUT", "DELETE"):
        seconds = teller.chance.choice((2.0, 10.0, 20.0))
        teller.fault({"do": "delay", "seconds": seconds, "label": "under-way"}, method=method, probability=0.7)
    teller.starts(names)
    teller.after(1.0, 50.0)
    if teller.maybe():
        teller.remove(names[0])
    else:
        teller.edit(names[0])
    teller.after(20.0, 60.0).remove(*names[1:])
    teller.after(20.0, 40.0).edit(names[-1])


@tale("late", cells.Overtaken, kills=40)
def LATE(teller: Teller) -> None:
    """A process dies while its creates are on their way, and git takes the manifests back at once."""
    names = teller.some(3, 5)
    seconds = teller.chance.choice((8.0, 15.0, 25.0))
    teller.fault({"do": "delay", "seconds": seconds, "label": "under-way"}, method="POST", probability=0.6)
    teller.starts(names)
    teller.after(0.5, 4.0).remove(*names[:3])
    teller.after(40.0, 60.0).edit(*names[3:], "keeper")


@tale("settling", cells.Overtaken, kills=50)
def SETTLING(teller: Teller) -> None:
    """A process dies between the answer to a create and the first read that shows it, and git takes it back at once."""
    names = teller.some(3, 5)
    teller.starts(names)
    teller.after(0.5, 4.0).remove(*names[:3])
    teller.after(40.0, 60.0).edit(*names[3:], "keeper")


def _lagging(teller: Teller) -> None:
    """Reads show the world of ten seconds ago, and git wants something else every few seconds."""
    names = teller.some(2, 4)
    if teller.maybe():
        teller.fault(teller.chance.choice(LOST), method=teller.chance.choice(("POST", "PUT", "DELETE")), times=2)
    teller.starts(names)
    for _ in range(teller.chance.randint(3, 6)):
        teller.after(3.0, 25.0)
        name = teller.chance.choice(names)
        if f"{name}.json" in teller.files and teller.maybe():
            teller.remove(name)
        else:
            teller.edit(name)


LAGGING = tale("lagging", cells.Patient)(_lagging)
LAGGING_KILLED = tale("lagging-killed", cells.Patient, kills=120)(_lagging)


@tale("replicas", cells.Scattered)
def REPLICAS(teller: Teller) -> None:
    """Some reads are answered by a replica that is ten seconds behind; git takes back and says again."""
    names = teller.some(2, 3)
    teller.fault({"do": "stale", "seconds": 10.0, "label": "replica"}, method="GET", probability=0.5)
    teller.starts(names)
    kept = dict(teller.files)
    for _ in range(teller.chance.randint(2, 4)):
        teller.after(20.0, 40.0)
        name = teller.chance.choice(names)
        teller.remove(name)
        teller.after(2.0, 9.0)
        teller.commit(**{name: kept[f"{name}.json"]})


@tale("lists", cells.Cell)
def LISTS(teller: Teller) -> None:
    """Lists and reads lie: too short, empty, of nobody, forbidden, or of a proxy, while git changes little."""
    chance = teller.chance
    names = teller.some(2, 4)
    teller.starts(names)
    teller.after(35.0, 70.0)
    # Two lies at once may agree with each other, and then nothing could tell.
    kind = chance.choice(("list", "list", "skipped", "stale", "one", "nowhere", "denied", "proxy"))
    for _ in range(chance.randint(1, 3)):
        lists, one = "/v1/resources", f"/v1/resources/workflow/{chance.choice(names)}"
        if kind == "list":
            fault = chance.choice(("empty-list", "short-list", "null-rows", "server-error"))
            teller.fault({"fault": fault, "method": "GET", "path": lists, "times": chance.randint(1, 6)})
        elif kind == "skipped":
            teller.fault({"fault": "short-list", "count": len(teller.files) - 1}, method="GET", path=lists)
            teller.fault({"do": "add", "at": "@total", "count": -1, "label": "less"}, method="GET", path=lists)
        elif kind == "stale":
            teller.fault({"do": "stale", "seconds": 60.0, "label": "old-list"}, method="GET", path=lists)
        elif kind == "one":
            teller.fault({**NOWHERE, "path": one, "times": chance.randint(1, 4)})
        elif kind == "nowhere":
            teller.fault(NOWHERE)
        elif kind == "denied":
            for path in (lists, one):
                teller.fault({"fault": "forbidden", "method": "GET", "path": path})
        else:
            page = {"body": "<html>nothing here</html>", "content_type": "text/html", "label": "proxy"}
            teller.fault({"fault": "not-found", "method": "GET", "times": chance.randint(2, 12), **page})
        teller.after(0.0, 20.0)
        if teller.maybe():
            teller.edit(chance.choice(names))
        elif teller.maybe():
            teller.remove(chance.choice(names))
        teller.after(20.0, 70.0).says("faults end")
        teller.after(10.0, 40.0)


def _owners(teller: Teller) -> None:
    """People make objects of the same names, with and without marks, and put theirs in the place of ours."""
    chance = teller.chance
    names = teller.some(2, 3)
    teller.commit(keeper=manifest("keeper", "0 1 * * *"))
    for name in names:
        if teller.maybe():
            tags = chance.choice((["foreign-made"], ["datakeel.other/abcdefghijkl"], []))
            document = json.loads(workflow(name, "7 7 * * *", tags))
            teller.says("person writes", document=document)
    if teller.maybe(0.4):
        teller.fault(chance.choice(FALSE), method="POST", times=2)
        for name in chance.sample(names, 1):
            document = json.loads(workflow(name, "9 9 * * *", ["foreign-made"]))
            teller.story.append(Happening(teller.at + 30.1, "person writes", {"document": document}))
    teller.after(29.0).starts(names)
    for _ in range(chance.randint(2, 4)):
        teller.after(5.0, 60.0)
        name = chance.choice(names)
        if teller.maybe(0.6):
            teller.says("person takes", name=name)
            tags = chance.choice((["foreign-made"], ["datakeel.other/abcdefghijkl"]))
            teller.says("person writes", document=json.loads(workflow(name, "8 8 * * *", tags)))
            teller.after(0.0, 25.0)
        if teller.maybe():
            teller.remove(name)
        else:
            teller.edit(name)


OWNERS = tale("owners", cells.Cell)(_owners)
OWNERS_CAREFUL = tale("owners-careful", cells.Careful)(_owners)


@tale("races", cells.Cell)
def RACES(teller: Teller) -> None:
    """Reads are slow, and meanwhile people make what git is about to."""
    names = teller.some(2, 4)
    teller.commit(keeper=manifest("keeper", "0 1 * * *")).after(20.0)
    teller.fault({"do": "delay", "seconds": 3.0, "after": True, "label": "slow-answer"}, method="GET")
    teller.after(9.0).starts(names)
    for name in names:
        teller.after(0.5, 4.0)
        document = json.loads(workflow(name, "7 7 * * *", ["foreign-made"]))
        teller.says("person writes", document=document)
    teller.after(40.0, 60.0).says("faults end")


@tale("workspaces", cells.Cell)
def WORKSPACES(teller: Teller) -> None:
    """Two workspaces hold objects of the same names, and one of them changes."""
    names = teller.some(1, 3)
    there = {name: manifest(name, teller.cron()) for name in names}
    others = {f"{name}-2": manifest(name, teller.cron(), workspace="second") for name in names}
    teller.commit(**there, **others)
    for _ in range(teller.chance.randint(2, 4)):
        teller.after(20.0, 60.0)
        name = teller.chance.choice(names)
        if teller.maybe():
            teller.commit(**{f"{name}-2": None})
        elif teller.maybe():
            teller.commit(**{f"{name}-2": manifest(name, teller.cron(), workspace="second")})
        else:
            teller.says("person takes", name=name, workspace=teller.chance.choice(("public", "second")))


def _limits(teller: Teller) -> None:
    """Many manifests leave git at once, all of them do, some are invalid or protected, or people take them."""
    chance = teller.chance
    names = teller.some(4, 6)
    teller.starts(names)
    if teller.maybe(0.4):
        protected = chance.choice(names)
        teller.commit(**{protected: manifest(protected, teller.cron(), protect=True)})
    teller.after(40.0, 70.0)
    for _ in range(chance.randint(1, 3)):
        what = chance.choice(("many", "one", "empty", "invalid", "people", "back", "protected"))
        here = [name for name in names if f"{name}.json" in teller.files]
        if what == "many" and here:
            teller.remove(*chance.sample(here, min(len(here), chance.randint(3, 5))))
        elif what == "one" and here:
            teller.remove(chance.choice(here))
        elif what == "empty":
            teller.remove(*here, "keeper")
        elif what == "invalid" and here:
            name = chance.choice(here)
            teller.commit(**{**dict.fromkeys(chance.sample(here, 1)), name: invalid(name)})
        elif what == "protected":
            teller.commit(**{name: None for name in here if b"protect" in teller.files[f"{name}.json"]})
        elif what == "people":
            for name in chance.sample(names, chance.randint(3, len(names))):
                teller.says("person takes", name=name)
        elif what == "back":
            teller.edit(*names)
        teller.after(30.0, 90.0)
    if teller.maybe(0.7):
        teller.edit(*names, "keeper")


LIMITS = tale("limits", cells.Cell)(_limits)
NO_PRUNE = tale("no-prune", cells.KeepsAll)(_limits)


@tale("emptied", cells.Cell)
def EMPTIED(teller: Teller) -> None:
    """The only manifest goes, and may come back."""
    teller.starts([])
    teller.after(35.0, 70.0).remove("keeper")
    if teller.maybe(0.3):
        teller.after(60.0, 90.0).edit("keeper")


@tale("order", cells.Cell)
def ORDER(teller: Teller) -> None:
    """Manifests need one another, become one another, and leave together."""
    chance = teller.chance
    first, second, third = chance.sample(NAMES, 3)
    if teller.maybe():
        teller.fault({"fault": "server-error"}, method="POST", times=chance.randint(1, 3), probability=0.7)
    if teller.maybe(0.3):
        teller.fault({"fault": "forbidden"}, method="GET", path=f"/v1/resources/workflow/{first}", times=6)
    needs = {"dependsOn": [f"Workflow/{first}"]}
    further = {"dependsOn": [f"Workflow/{second}"]}
    start = {
        third: manifest(third, teller.cron(), **further),
        second: manifest(second, teller.cron(), **needs),
        first: manifest(first, teller.cron()),
        "keeper": manifest("keeper", "0 1 * * *"),
    }
    teller.commit(**start).after(60.0, 100.0)
    if teller.maybe():
        if teller.maybe():
            teller.fault({"fault": "server-error"}, method="POST", times=2)
        teller.commit(**{third: None, "moved": manifest("moved", teller.cron(), movedFrom=third)})
        teller.after(50.0, 90.0).remove("moved", first, second)
    else:
        teller.remove(*chance.sample([first, second, third], 3))
    teller.after(30.0, 60.0)


@tale("replacing", cells.Fixed)
def REPLACING(teller: Teller) -> None:
    """What cannot change in place is changed, by git with and without leave, and by people."""
    names = teller.some(2, 3)
    teller.starts(names)
    for _ in range(teller.chance.randint(2, 3)):
        teller.after(25.0, 60.0)
        name = teller.chance.choice(names)
        if teller.maybe():
            change = {"workflow": {"schedule": {"cron": teller.cron()}}}
            teller.says("person changes", name=name, change=change)
        elif teller.maybe():
            teller.edit(name, replace="allow")
        else:
            teller.edit(name)


@tale("paused", cells.Cell)
def PAUSED(teller: Teller) -> None:
    """A person suspends some, and the process is told to stop in the middle of a slow pass."""
    names = teller.some(3, 5)
    teller.starts(names)
    teller.after(40.0, 60.0)
    if teller.maybe(0.6):
        teller.says("suspend", selector=f"Workflow/{teller.chance.choice(names)}")
    teller.fault({"do": "delay", "seconds": 4.0, "label": "slow-write"}, method="PUT", probability=0.8)
    teller.edit(*names)
    for _ in range(3):
        teller.after(1.0, 20.0).says("stop")
    teller.after(20.0, 40.0).edit(*teller.chance.sample(names, 2))
    teller.after(20.0, 40.0).remove(teller.chance.choice(names))


@tale("windowed", cells.Windowed)
def WINDOWED(teller: Teller) -> None:
    """Git changes while the target's windows are open and while they are closed."""
    names = teller.some(2, 4)
    teller.starts(names)
    for _ in range(4):
        teller.after(60.0, 200.0)
        if teller.maybe(0.7):
            teller.edit(teller.chance.choice(names))
        else:
            teller.remove(teller.chance.choice(names))
    teller.after(600.0 - teller.at % 600.0 + 5.0).edit("keeper")


def _pressure(teller: Teller) -> None:
    """Many manifests, small windows, some 429 and a person who uses the platform too."""
    count = teller.chance.randint(8, 14)
    names = [f"many-{number}" for number in range(count)]
    teller.fault({"do": "delay", "seconds": LATENCY, "label": "latency"})
    teller.starts(names)
    if teller.maybe():
        teller.fault({"fault": "rate-limited"}, times=teller.chance.randint(1, 3), probability=0.1)
    teller.after(60.0, 200.0).edit(*teller.chance.sample(names, count // 2))
    teller.after(100.0, 300.0).edit(*teller.chance.sample(names, count // 2))


PRESSURE = tale("pressure", cells.Tight)(_pressure)
PRESSURE_KILLED = tale("pressure-killed", cells.Tight, kills=120)(_pressure)


@tale("content", cells.Cell)
def CONTENT(teller: Teller) -> None:
    """People tag and edit, also in the middle of a slow pass; secrets rotate; the platform adds and sorts."""
    chance = teller.chance
    names = teller.some(2, 3)
    switches = {"server_tags": teller.maybe(), "sort_tags": teller.maybe(), "hide_secrets": teller.maybe()}
    if teller.maybe():
        switches["section_defaults"] = {"workflow": {"title": "made by the platform"}}  # type: ignore[assignment]
    teller.says("switch", **switches)
    if teller.maybe():
        teller.commit(vault=secret("vault", 0))
    teller.starts(names, tags=["ours", "zeal"])
    for turn in range(chance.randint(2, 4)):
        teller.after(20.0, 50.0)
        name = chance.choice(names)
        if teller.maybe():
            slow = {"do": "delay", "seconds": 25.0, "after": True, "label": "slow-answer"}
            teller.fault(slow, method="GET", times=chance.randint(1, 4))
        if teller.maybe():
            teller.says("person tags", name=name, tag="foreign-label")
        teller.edit(name, tags=["ours", f"turn-{turn}"])
        teller.after(0.5, 60.0)
        if teller.maybe(0.7):
            change = {"workflow": {"schedule": {"cron": teller.cron()}}}
            teller.says("person changes", name=name, change=change)
        else:
            teller.says("person tags", name=name, tag="foreign-click")
        if teller.maybe(0.3):
            teller.commit(vault=secret("vault", turn + 1))


@tale("echo", cells.Cell)
def ECHO(teller: Teller) -> None:
    """The platform repeats in its refusals what it was sent."""
    names = teller.some(1, 2)
    body = {"error": {"code": "INVALID_REQUEST", "message": f"not for Bearer {TOKEN}"}}
    echo = {"do": "answer", "status": 400, "body": body, "label": "echo"}
    teller.fault(echo, method=teller.chance.choice(("POST", "PUT", "GET")), times=2)
    teller.starts(names).after(30.0, 50.0).edit(*names)


@tale("unkept", cells.Owned)
def UNKEPT(teller: Teller) -> None:
    """The platform puts its own value where git says another."""
    names = teller.some(1, 3)
    for name in names:
        document = {**json.loads(manifest(name, teller.cron())), "owner": "someone"}
        teller.files[f"{name}.json"] = json.dumps(document).encode()
    teller.commit(keeper=manifest("keeper", "0 1 * * *")).after(60.0, 90.0).edit("keeper")


@tale("moved", cells.Moving)
def MOVED(teller: Teller) -> None:
    """The server's name leads to another system, which is empty."""
    names = teller.some(1, 4)
    teller.starts(names).after(40.0, 60.0).says("move")
    teller.after(1.0, 5.0).edit("omega")
    teller.after(40.0, 80.0).says("return")


@tale("hanging", cells.Cell)
def HANGING(teller: Teller) -> None:
    """Some answers would take an hour."""
    names = teller.some(1, 3)
    hour = {"do": "delay", "seconds": 3600.0, "label": "hour"}
    teller.fault(hour, method=teller.chance.choice(("GET", "POST", "PUT")), times=teller.chance.randint(1, 2))
    teller.starts(names).after(30.0, 60.0).edit(*names)
    teller.after(1.0, 2.0)


@tale("failing", cells.Cell)
def FAILING(teller: Teller) -> None:
    """Every read fails for some minutes."""
    names = teller.some(2, 4)
    teller.starts(names).after(35.0, 60.0)
    teller.fault({"fault": teller.chance.choice(("server-error", "unavailable", "reset"))}, method="GET")
    teller.after(60.0, 120.0).says("faults end")
    teller.after(10.0, 30.0).edit(*names)


TALES: tuple[Tale, ...] = (
    DRAWN,
    KILLED,
    WRITES,
    WRITES_REPORTED,
    DEATHS,
    LATE,
    SETTLING,
    LAGGING,
    LAGGING_KILLED,
    REPLICAS,
    LISTS,
    OWNERS,
    OWNERS_CAREFUL,
    RACES,
    WORKSPACES,
    LIMITS,
    NO_PRUNE,
    EMPTIED,
    ORDER,
    REPLACING,
    PAUSED,
    WINDOWED,
    PRESSURE,
    PRESSURE_KILLED,
    CONTENT,
    ECHO,
    UNKEPT,
    MOVED,
    HANGING,
    FAILING,
)
