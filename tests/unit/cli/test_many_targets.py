"""What a configuration of many targets may cost: nothing that grows with the square of their number."""

from __future__ import annotations

from pathlib import Path

from agent.cli.opening import everyone_of
from agent.cli.reading import platforms_of
from agent.config.load import load_config
from agent.reconcile.target import Neighbours

TARGET = "  t{number}: {{platform: {platform}, server: 'https://t{number}.example', folder: 't{number}'}}\n"


def test_each_target_looks_at_the_same_others(tmp_path: Path) -> None:
    file = tmp_path / "datakeel.yaml"
    sorts = ("dataos", "dataloop")
    targets = "".join(TARGET.format(number=number, platform=sorts[number % 2]) for number in range(6))
    file.write_text(f"apiVersion: datakeel/v1\nsource: {{path: .}}\ntargets:\n{targets}", encoding="utf-8")
    config = load_config(file, environ={}, cwd=tmp_path)

    platforms = platforms_of(config)
    assert len({id(platform) for platform in platforms.values()}) == 2, "a definition is loaded once"

    everyone = everyone_of(config)
    seen = {name: [*Neighbours(everyone, name)] for name in config.targets}
    for name, others in seen.items():
        assert {each.name for each in others} == set(config.targets) - {name} == config.targets[name].others
        assert name not in (config.targets[name].others or ())
    assert len({id(each) for others in seen.values() for each in others}) == 6, "what git says of one is read once"
    assert everyone["t0"].platform is everyone["t2"].platform
