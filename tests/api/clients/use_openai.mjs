// The official Node client, driven by lines of JSON; see driver.py for the words.
import OpenAI from "openai";
import { createInterface } from "node:readline";

const room = ({ url, key }) => new OpenAI({ baseURL: url, apiKey: key, timeout: 30_000 });
const called = (call) => [call.function.name, JSON.parse(call.function.arguments)];
const listed = (entry) => [entry.token, entry.logprob, entry.top_logprobs.map((each) => each.token)];

function shown({ choices, usage }) {
  return {
    texts: choices.map((each) => (each.message ? each.message.content : each.text) ?? ""),
    finishes: choices.map((each) => each.finish_reason),
    usage: [usage.prompt_tokens, usage.completion_tokens],
    logprobs: choices.flatMap((each) => each.logprobs?.content ?? []).map(listed),
    calls: choices.flatMap((each) => each.message?.tool_calls ?? []).map(called),
  };
}

async function collected(stream) {
  const texts = [], finishes = [];
  let usage = null, pieces = 0;
  for await (const chunk of stream) {
    if (chunk.usage) usage = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens];
    for (const each of chunk.choices) {
      const said = (each.delta ? each.delta.content : each.text) ?? "";
      pieces += said ? 1 : 0;
      texts[each.index] = (texts[each.index] ?? "") + said;
      if (each.finish_reason) finishes[each.index] = each.finish_reason;
    }
  }
  return { texts, finishes, usage, pieces };
}

const operations = {
  async models({ model, ...where }) {
    const models = [];
    for await (const each of room(where).models.list()) models.push(each.id);
    return { models, one: (await room(where).models.retrieve(model)).id };
  },
  async chat({ url, key, text, ...options }) {
    const messages = [{ role: "user", content: text }];
    const made = await room({ url, key }).chat.completions.create({ messages, ...options });
    return options.stream ? collected(made) : shown(made);
  },
  async complete({ url, key, text, ...options }) {
    const made = await room({ url, key }).completions.create({ prompt: text, ...options });
    return options.stream ? collected(made) : shown(made);
  },
  async tools({ url, key, model, text, tool, result }) {
    const messages = [{ role: "user", content: text }];
    const create = (body) => room({ url, key }).chat.completions.create({ model, tools: [tool], ...body });
    const wanted = (await create({ messages, tool_choice: "auto" })).choices[0].message;
    messages.push(wanted, { role: "tool", tool_call_id: wanted.tool_calls[0].id, content: result });
    return { ...shown(await create({ messages })), calls: wanted.tool_calls.map(called) };
  },
  async tools_streamed({ url, key, model, text, tool }) {
    const messages = [{ role: "user", content: text }];
    const stream = room({ url, key }).chat.completions.stream({ model, messages, tools: [tool] });
    return shown({ usage: {}, ...(await stream.finalChatCompletion()) });
  },
};

function raised(fault) {
  const kinds = [];
  for (let kind = fault.constructor; kind?.name; kind = Object.getPrototypeOf(kind)) kinds.push(kind.name);
  return { kinds, status: fault.status ?? null, code: fault.code ?? null, message: fault.message };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...asked } = JSON.parse(line);
  let answer;
  try {
    answer = await operations[name](asked);
  } catch (fault) {
    answer = { raised: raised(fault) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
