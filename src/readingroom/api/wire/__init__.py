"""OpenAI's wire format: what a request may hold, and how answers, frames and errors are spelled.

Owns: the allow-lists of request fields, the shapes of answers.
Hears: bytes from `api.openai`.
Says: requests as `gateway.ask`, answers as JSON.
Never: a field of the engine that no list names.
"""
