"""litellm's client, driven by lines of JSON."""

from __future__ import annotations

from typing import Any

import litellm

from api.clients.driver import Answer, Room, called, collected, serve, shown


def where(room: Room) -> dict[str, Any]:
    return {"model": f"openai/{room.model}", "api_base": room.url, "api_key": room.key, "timeout": 30}


def models(room: Room) -> Answer:
    found = litellm.get_valid_models(True, "openai", api_key=room.key, api_base=room.url)
    return {"models": [each.removeprefix("openai/") for each in found], "one": room.model}


def chat(room: Room, text: str, **options: Any) -> Answer:
    made = litellm.completion(messages=[{"role": "user", "content": text}], **where(room), **options)
    return collected(made) if options.get("stream") else shown(made)


def complete(room: Room, text: str, **options: Any) -> Answer:
    named = {**where(room), "model": f"text-completion-openai/{room.model}"}
    made = litellm.text_completion(prompt=text, **named, **options)
    return collected(made) if options.get("stream") else shown(made)


def tools(room: Room, text: str, tool: dict[str, Any], result: str) -> Answer:
    said: list[Any] = [{"role": "user", "content": text}]
    first = litellm.completion(messages=said, tools=[tool], **where(room))
    wanted = first.choices[0].message
    said += [wanted, {"role": "tool", "tool_call_id": wanted.tool_calls[0].id, "content": result}]
    last = litellm.completion(messages=said, tools=[tool], **where(room))
    return {**shown(last), "calls": [called(call) for call in wanted.tool_calls]}


def tools_streamed(room: Room, text: str, tool: dict[str, Any]) -> Answer:
    said = [{"role": "user", "content": text}]
    chunks = list(litellm.completion(messages=said, tools=[tool], stream=True, **where(room)))
    return shown(litellm.stream_chunk_builder(chunks, messages=said))


if __name__ == "__main__":
    serve({"models": models, "chat": chat, "complete": complete, "tools": tools, "tools_streamed": tools_streamed})
