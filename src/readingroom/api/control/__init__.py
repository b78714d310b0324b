"""The control API, `/api`: what the portal does with pages, for programs."""
