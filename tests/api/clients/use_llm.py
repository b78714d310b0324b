"""Simon Willison's llm, driven by lines of JSON; the model is named in extra-openai-models.yaml of LLM_USER_PATH."""

from __future__ import annotations

import json
from typing import Any

import llm

from api.clients.driver import Answer, Room, serve

NAMED = """
- {{model_id: room, model_name: {model}, api_base: "{url}", api_key_name: room, supports_tools: true}}
- {{model_id: room-text, model_name: {model}, api_base: "{url}", api_key_name: room, completion: true}}
"""


def lent(room: Room, name: str) -> Any:
    (llm.user_dir() / "extra-openai-models.yaml").write_text(NAMED.format(url=room.url, model=room.model))
    return llm.get_model(name)


def chat(room: Room, text: str, *, stream: bool = False, **options: Any) -> Answer:
    options.pop("stream_options", None)  # always asked for
    return told(lent(room, "room").prompt(text, stream=stream, key=room.key, **options))


def complete(room: Room, text: str, *, stream: bool = False, **options: Any) -> Answer:
    options.pop("stream_options", None)
    return told(lent(room, "room-text").prompt(text, stream=stream, key=room.key, **options))


def told(response: Any) -> Answer:
    pieces = [piece for piece in response if piece]
    raw = response.response_json
    choices = raw.get("choices") or [raw]
    usage = response.usage()
    return {
        "texts": ["".join(pieces)],
        "finishes": [each.get("finish_reason") for each in choices],
        "usage": [usage.input, usage.output],
        "pieces": len(pieces),
        "calls": [[call.name, call.arguments] for call in response.tool_calls()],
    }


def tools(room: Room, text: str, tool: dict[str, Any], result: str, *, stream: bool = False) -> Answer:
    seen: list[Any] = []

    def used(**arguments: Any) -> str:
        seen.append([tool["function"]["name"], arguments])
        return result

    described = tool["function"]
    given = llm.Tool(described["name"], described["description"], described["parameters"], implementation=used)
    chain = lent(room, "room").chain(text, tools=[given], key=room.key, stream=stream)
    last = list(chain.responses())[-1]
    return {**told(last), "calls": seen}


def tools_streamed(room: Room, text: str, tool: dict[str, Any]) -> Answer:
    return tools(room, text, tool, json.dumps("done"), stream=True)


if __name__ == "__main__":
    serve({"chat": chat, "complete": complete, "tools": tools, "tools_streamed": tools_streamed})
