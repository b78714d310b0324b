"""langchain-openai, driven by lines of JSON."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI

from api.clients.driver import Answer, Room, serve


def where(room: Room) -> dict[str, Any]:
    return {"model": room.model, "base_url": room.url, "api_key": room.key, "timeout": 30}


def chat(room: Room, text: str, *, stream: bool = False, **options: Any) -> Answer:
    options.pop("stream_options", None)  # its own flag, below
    lent = ChatOpenAI(stream_usage=True, **where(room), **options)
    if stream:
        pieces = [
            piece for piece in lent.stream(text) if piece.content or piece.usage_metadata or piece.response_metadata
        ]
        whole = pieces[0]
        for piece in pieces[1:]:
            whole += piece
        return {**told([whole]), "pieces": sum(bool(piece.content) for piece in pieces)}
    result = lent.generate([[HumanMessage(text)]])
    answer = told([each.message for each in result.generations[0]])
    counts = result.llm_output["token_usage"]
    return {**answer, "usage": [counts["prompt_tokens"], counts["completion_tokens"]]}


def told(messages: list[Any]) -> Answer:
    shown = [each.response_metadata.get("logprobs") or {} for each in messages]
    counts = messages[0].usage_metadata or {}
    return {
        "texts": [each.content for each in messages],
        "finishes": [each.response_metadata.get("finish_reason") for each in messages],
        "usage": [counts.get("input_tokens"), counts.get("output_tokens")],
        "logprobs": [
            [entry["token"], entry["logprob"], [top["token"] for top in entry["top_logprobs"]]]
            for each in shown
            for entry in each.get("content") or ()
        ],
        "calls": [[call["name"], call["args"]] for each in messages for call in each.tool_calls],
    }


def complete(room: Room, text: str, *, stream: bool = False, **options: Any) -> Answer:
    stop = options.pop("stop", None)
    lent = OpenAI(**where(room), **options)
    if stream:
        pieces = list(lent.stream(text, stop=stop))
        return {"texts": ["".join(pieces)], "pieces": sum(bool(piece) for piece in pieces)}
    result = lent.generate([text], stop=stop)
    counts = result.llm_output["token_usage"]
    return {
        "texts": [each.text for each in result.generations[0]],
        "finishes": [each.generation_info["finish_reason"] for each in result.generations[0]],
        "usage": [counts["prompt_tokens"], counts["completion_tokens"]],
    }


def tools(room: Room, text: str, tool: dict[str, Any], result: str) -> Answer:
    lent = ChatOpenAI(**where(room)).bind_tools([tool])
    wanted = lent.invoke([("user", text)])
    answered = {"role": "tool", "tool_call_id": wanted.tool_calls[0]["id"], "content": result}
    last = lent.invoke([("user", text), wanted, answered])
    return {**told([last]), "calls": told([wanted])["calls"]}


def tools_streamed(room: Room, text: str, tool: dict[str, Any]) -> Answer:
    lent = ChatOpenAI(**where(room)).bind_tools([tool])
    first, *rest = lent.stream(text)
    for piece in rest:
        first += piece
    return told([first])


if __name__ == "__main__":
    serve({"chat": chat, "complete": complete, "tools": tools, "tools_streamed": tools_streamed})
