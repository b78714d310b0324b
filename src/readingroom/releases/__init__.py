"""The stage machine.

Owns: adopted plans, the state of each stage, signatures, waivers, the times a stage was open, what the last look at the
    engine behind it found.
Hears: nothing; use, incidents and test runs arrive as facts (`StageHistory`), evidence is read from the dossier.
Says: releases.plan.adopted, releases.stage.opened|held|rolled-back|withdrawn|closed|signed,
    releases.gate.waived, releases.engine.inspected|fingerprinted.
Never: opens a stage by itself, by a deadline, or on missing evidence.
"""
