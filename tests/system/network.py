"""A bad network between a real agent and its platform: ``python -m tests.system.network --minutes 10 --seed 1``.

One script of commits, a real sandbox, git repository and `datakeel run`, and a proxy between agent and platform that
hurts a share of all exchanges: late, slow, in slices, cut, reset, silent, answered and not brought, answered by others.
Then the network is good again, and it must come to rest with git and live alike. The judge is the sandbox's record:
nothing was made or deleted more often than git said, nothing is lost or left over, nothing of others was touched.
Exit 1 when that is not so, or when a toxic was never met.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.system.kill_sweep import SETTLE, Swept, judged, opened, passed, rested
from tests.system.proxy import TOXICS, Proxy, Toxicity
from tests.system.script import draw_script
from tests.system.stage import Stage, until

SHARE = 0.25
_CALL_SECONDS = 5.0  # the deadline of the stage's configuration
_WEIGHTS = dict.fromkeys(TOXICS, 1.0) | {"lost": 3.0, "timeout": 0.5, "bandwidth": 0.5, "slow close": 0.5}


def hurt(
    folder: Path,
    *,
    seconds: float,
    seed: int,
    commits: int,
    share: float = SHARE,
    settle: float = SETTLE,
    least: int = 0,
) -> tuple[Swept, Counter[str]]:
    """What came of it, and how often each toxic was met. It lasts on until ``least`` exchanges were hurt."""
    script, chance, began = draw_script(seed, commits), random.Random(f"network/{seed}"), time.monotonic()
    with Stage(folder) as stage:
        opened(stage)
        with Proxy("127.0.0.1", stage.port, seed=seed) as proxy:
            direct, stage.server = stage.server, stage.server.replace(f":{stage.port}", f":{proxy.port}")
            stage.configure()
            stage.server = direct
            proxy.toxicity = Toxicity(share, _WEIGHTS, patience=_CALL_SECONDS + 2.0)
            stage.commit(script.commits[0])
            agent = stage.start_agent()
            for files in script.commits[1:]:
                time.sleep(chance.uniform(0.2, 1.8) * seconds / commits)
                stage.commit(files)
                assert agent.child.poll() is None, f"the agent ended by itself: {agent.log.read_text()[-2000:]}"
            time.sleep(seconds / commits)
            until(lambda: proxy.met.total() >= least, f"{least} exchanges are hurt", 120.0)
            met = Counter(proxy.met)
            proxy.toxicity = Toxicity()
            passed(agent, stage.git("rev-parse", "HEAD").strip())
            time.sleep(settle)
            rested(stage, agent)
            crashed = [each for each in agent.events if each["event"] == "pass.crashed"]
            assert agent.end() == 143
            swept = judged(stage, script, began, starts=1)
            swept.wrong += [f"pass.crashed: {each}" for each in crashed]
            return swept, met


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.network", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the network is bad (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="draws commits and toxics (default 1)")
    parser.add_argument("--share", type=float, default=SHARE, help=f"of exchanges that are hurt (default {SHARE})")
    parser.add_argument("--commits", type=int, help="length of the script (default: ten a minute)")
    parser.add_argument("--keep", type=Path, help="play in this new folder and leave it")
    asked = parser.parse_args()
    commits = asked.commits or max(5, round(asked.minutes * 10))
    with tempfile.TemporaryDirectory(prefix="datakeel-network-") as folder:
        swept, met = hurt(
            asked.keep or Path(folder) / "stage",
            seconds=asked.minutes * 60,
            seed=asked.seed,
            commits=commits,
            share=asked.share,
        )
    wrong = swept.wrong + [f"never met: {toxic}" for toxic in TOXICS if not met[toxic]]
    print(f"seed {asked.seed}: {commits} commits, {swept.requests} requests arrived, {swept.seconds:.0f} s")
    print(f"{met.total()} exchanges hurt: " + ", ".join(f"{toxic} {count}" for toxic, count in sorted(met.items())))
    print("\n".join(wrong))
    print(f"{len(swept.live)} live objects, verdict: {'WRONG' if wrong else 'as git says, each made once'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
