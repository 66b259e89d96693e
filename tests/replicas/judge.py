"""What came of a case, judged by the platform's own log and by the database's record of leases, and by nothing else."""

from __future__ import annotations

import bisect
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.replicas.front import Call
from tests.replicas.stage import LEASE, Replicas


@dataclass
class Verdict:
    """``takeovers`` are seconds from the moment at which an agent was lost until another one had its target."""

    case: str
    writes: int = 0
    leases: int = 0
    overlaps: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    takeovers: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.overlaps or self.doubles or self.lost or self.broken)

    def __str__(self) -> str:
        takeovers = "-"
        if self.takeovers:
            median, most = statistics.median(self.takeovers), max(self.takeovers)
            takeovers = f"{median / LEASE:.2f} {most / LEASE:.2f} ({len(self.takeovers)})"
        counts = f"{len(self.overlaps):8} {len(self.doubles):8} {len(self.lost):6}   {takeovers:18}"
        told = "; ".join([*self.broken, *self.overlaps[:3], *self.doubles[:3], *self.notes])
        return f"{self.case:22} {self.writes:6} {self.leases:6} {counts} {told}"


HEAD = (
    f"{'case':22} {'writes':>6} {'leases':>6} {'overlaps':>8} {'doubles':>8} {'lost':>6}"
    f"   {'takeover median max':18}  (in leases of {LEASE:g} s, and how many)"
)


def judge(case: str, stage: Replicas, takeovers: Iterable[float] = (), *notes: str) -> Verdict:
    """The verdict over all that a stage has seen."""
    leases, writes = stage.leases(), stage.front.writes()
    pids = {each.name: each.pid for each in stage.replicas}
    verdict = Verdict(case, len(writes), len(leases), takeovers=[*takeovers], notes=[*notes])
    verdict.lost = stage.lost()
    if not stage.one_token:
        verdict.overlaps = overlaps(leases, writes, pids)
    made = Counter(call.name for call in writes if call.method == "POST" and call.status == 201)
    verdict.doubles = [f"{name} was made {times} times" for name, times in made.items() if times > 1]
    for replica in stage.replicas:
        crashed = [str(each.get("exception", each))[-300:] for each in replica.told("pass.crashed")]
        if crashed or "Traceback" in replica.log.read_text(encoding="utf-8"):
            verdict.broken.append(f"{replica.name} crashed: {crashed[:1] or 'its log tells'} ({replica.log})")
    if stage.query("SELECT 1 FROM journal WHERE closed_at IS NULL"):
        verdict.broken.append("a call is open in the end")
    return verdict


def overlaps(leases: Sequence[tuple[str, int, int, float]], writes: Iterable[Call], pids: dict[str, int]) -> list[str]:
    """Writes that arrived while the newest lease of their target was another's."""
    taken: defaultdict[str, list[tuple[float, int, int]]] = defaultdict(list)
    for target, pid, epoch, at in leases:
        taken[target].append((at, pid, epoch))
    found = []
    for call in writes:
        known = taken[call.target]
        place = bisect.bisect_right(known, call.arrived, key=lambda each: each[0]) - 1
        if place < 0 or known[place][1] != pids[call.replica]:
            late = call.arrived - known[place][0] if place >= 0 else 0.0
            found.append(f"{call.method} {call.name} by {call.replica}, {late:.2f} s after another took {call.target}")
    return found


def taken_over(stage: Replicas, pid: int, targets: Iterable[str], since: float) -> list[float]:
    """For each of these targets, after how many seconds another process had it."""
    found = []
    for target in targets:
        later = [at for name, holder, _, at in stage.leases() if name == target and holder != pid and at > since]
        if later:
            found.append(min(later) - since)
    return found
