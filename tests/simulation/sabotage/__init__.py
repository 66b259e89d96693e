"""Wrong agents: each lacks one guard, and the judge of the simulation must name the invariant that breaks."""
