"""A forward pass for a reader: authorise, screen in, reserve, forward, screen out, settle, record.

Owns: the meter, the screens and their judges, usage records and batches, streams that flow, kept answers,
  the texts that a stage keeps for investigations, sealed, and both halves of their keys; the operator's figures.
Hears: access.grant.issued (opens a meter, through app).
Says: gateway.usage.recorded.
Never: HTTP, a prompt at rest that is not sealed, an answer at rest that the house can open, unless its stage keeps
  texts and its reader agreed; a stream without its screen.
"""
