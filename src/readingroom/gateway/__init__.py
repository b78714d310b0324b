"""A forward pass for a reader: authorise, screen in, reserve, forward, screen out, settle, record.

Owns: the meter, the screens and their judges, usage records and batches, streams that flow, kept answers,
  the operator's figures.
Hears: access.grant.issued (opens a meter, through app).
Says: gateway.usage.recorded.
Never: HTTP, a prompt at rest, an answer at rest that the house can open, a stream without its screen.
"""
