"""The full fault model over all five platforms: every row of ``design/fault-model.md`` that a simulation can reach.

``rows`` says how each row is reached, ``samples`` what manifests are made of, ``cell`` and ``tale`` draw a story,
``faults`` are the API's, ``world`` moves, ``wire`` lies between the agent and a platform, ``play`` tells the story,
``referee`` judges. Everything follows from the seed.
"""
