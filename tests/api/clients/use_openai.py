"""The official Python client, driven by lines of JSON."""

from __future__ import annotations

from typing import Any

import openai

from api.clients.driver import Answer, Room, called, collected, serve, shown


def client(room: Room) -> openai.OpenAI:
    return openai.OpenAI(base_url=room.url, api_key=room.key, timeout=30)


def models(room: Room) -> Answer:
    return {
        "models": [each.id for each in client(room).models.list()],
        "one": client(room).models.retrieve(room.model).id,
    }


def chat(room: Room, text: str, **options: Any) -> Answer:
    said: list[Any] = [{"role": "user", "content": text}]
    made = client(room).chat.completions.create(model=room.model, messages=said, **options)
    return collected(made) if options.get("stream") else shown(made)


def complete(room: Room, text: str, **options: Any) -> Answer:
    made = client(room).completions.create(model=room.model, prompt=text, **options)
    return collected(made) if options.get("stream") else shown(made)


def tools(room: Room, text: str, tool: Any, result: str) -> Answer:
    said: list[Any] = [{"role": "user", "content": text}]
    ask = client(room).chat.completions.create
    first = ask(model=room.model, messages=said, tools=[tool], tool_choice="auto")
    wanted: Any = first.choices[0].message
    said += [wanted, {"role": "tool", "tool_call_id": wanted.tool_calls[0].id, "content": result}]
    last = ask(model=room.model, messages=said, tools=[tool])
    return {**shown(last), "calls": [called(call) for call in wanted.tool_calls]}


def tools_streamed(room: Room, text: str, tool: Any) -> Answer:
    said: list[Any] = [{"role": "user", "content": text}]
    with client(room).chat.completions.stream(model=room.model, messages=said, tools=[tool]) as stream:
        stream.until_done()
        return shown(stream.get_final_completion())


if __name__ == "__main__":
    serve({"models": models, "chat": chat, "complete": complete, "tools": tools, "tools_streamed": tools_streamed})
