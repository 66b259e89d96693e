"""POLICY: rules that an operator writes over the plan, in CEL, the expression language of Kubernetes and its kin.

``config`` reads them and has them compiled, so that a mistake in one is told with its place when the configuration is
loaded. ``reconcile`` hands a :class:`~agent.policy.judge.RuleJudge` to the planner; ``datakeel policy`` asks the same
judge about test cases and plan files. Pure: what a rule may know is handed in, the moment too.
"""
