"""The whole examination, check after check. Called by the verb; ``recording`` keeps what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.cli import examining
from agent.cli.doctoring import around
from agent.cli.doctoring.state import findings_of
from agent.cli.examining import StoreState
from agent.cli.options import Options, chosen
from agent.cli.reading import known_secrets
from agent.config.model import Config, TargetConfig
from agent.errors import AgentError, StoreError
from agent.model.examined import Finding

TYPICAL_SECONDS = 120.0
"""How long one target may take, with all its waits."""


@dataclass(slots=True)
class Report:
    """What was found, in the order of the checks; ``state`` is None where the store could not be asked."""

    findings: list[Finding] = field(default_factory=list)
    state: StoreState | None = None
    calls: int = 0


def examine(config: Config, options: Options, here: Path, *, network: bool) -> Report:
    """Everything but the platforms. Raises UsageError for a target that is not there."""
    report = Report()
    config = chosen(config, options)
    redactor = known_secrets(config)
    report.findings.append(around.configuration(config, here))
    report.findings += around.definitions(config)
    report.findings.append(around.git(config, redactor, network=network))
    report.findings += around.references(config, redactor, programs=network)
    try:
        report.state = examining.examine(config, options)
        report.findings += findings_of(report.state)
    except StoreError as error:
        report.findings.append(around.failed("state", error))
    report.findings.append(around.webhooks(config))
    return report


async def examine_platforms(
    config: Config, options: Options, report: Report, most: int, record: Path | None, tell: Callable[[str], None]
) -> None:
    """Each target's platform, one after the other, and its findings into the report."""
    from agent.cli.doctoring.platforms import Examined, examine_platform
    from agent.cli.doctoring.recording import record_samples, remember
    from agent.cli.opening import open_targets

    done: dict[str, Examined] = {}
    for name, target in _sound(chosen(config, options), report):
        tell(f"{name}: asking {target.server or 'its platform'}")
        alone, only = replace(config, targets={name: target}), replace(options, targets=(name,), worktree=True)
        try:
            async with open_targets(alone, only, writable=False) as opened, asyncio.timeout(TYPICAL_SECONDS):
                done[name] = await examine_platform(opened, only, most)
                if record is not None:
                    done[name].findings += record_samples(record, done[name], opened.redactor.scrub)
        except TimeoutError:
            said = f"not at its end after {TYPICAL_SECONDS:.0f} s, so the rest was not asked"
            report.findings.append(Finding("platform", "warn", said, "--max-calls N asks less", name))
        except AgentError as error:
            if not _is_told(error, name, report):
                report.findings.append(around.failed("platform", error, name))
        else:
            report.findings += done[name].findings
            report.calls += done[name].calls
    report.findings += remember(config, {name: each.kept for name, each in done.items()})


def _is_told(error: AgentError, name: str, report: Report) -> bool:
    """Whether an earlier check has told why the target cannot be opened: a credential, or the state."""
    checks = ("state",) if isinstance(error, StoreError) else ("credential",)
    return any(each.state == "bad" and each.check in checks and each.subject in ("", name) for each in report.findings)


def _sound(config: Config, report: Report) -> Iterator[tuple[str, TargetConfig]]:
    """The targets whose definition and credentials are there: others could not be asked."""
    wrong = {each.subject for each in report.findings if each.state == "bad" and each.check == "definition"}
    for name, target in config.targets.items():
        if name not in wrong:
            yield name, target
