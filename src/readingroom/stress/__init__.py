"""Stress tests: what a model does when it is pushed.

Owns: suites, judges, runs, samples, scores; a run is on record from its start.
Hears: nothing.
Says: stress.run.started|failed|finished.
Never: whether a gate opens; how the model is reached (app gives it a `Caller`).
"""
