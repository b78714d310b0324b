"""What leaves for good: facsimiles, and bundles of weights.

Owns: manifests, bundle signatures (OMS), the release record, samples, the outsider's verifier.
Hears: nothing; stage standings arrive as facts.
Says: publication.sample.signed-off, publication.bundle.signed, publication.bundle.pushed.
Never: whether a stage may open; trusts nothing that stands in a bundle but the signature.
"""
