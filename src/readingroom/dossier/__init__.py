"""All that is known of a model version.

Owns: model versions by digest, their documents, evidence filed under a gate version.
Hears: stress.run.finished (through `app`, which files its evidence here).
Says: dossier.model.registered, dossier.document.filed, dossier.evidence.filed.
Never: a verdict; the weights themselves.
"""
