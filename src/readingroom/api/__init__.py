"""The doors for programs.

Owns: `/v1` (OpenAI-compatible), `/api` (control, with its OpenAPI document), `/ledger` (tlog-tiles), `/healthz`.
Hears: HTTP.
Says: HTTP; each refusal with the ending that `app.refusals` gives it.
Never: a rule, SQL.
"""
