// OpenAI's own Node client, unchanged, against the stand-in: models, an answer in one piece and in pieces, tools, and
// refusals as the errors that it knows. node openai.js http://HOST:PORT; prints one JSON object.
const OpenAI = require('openai');

const [base] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'sk-made-up', maxRetries: 0 });
const script = 'PHASE 1 hello: «Добрый день!»\nPHASE 2 when: «Когда вам удобно? Я подстроюсь.»\nEND: «Спасибо, до свидания!»';
const tool = (name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } });
const tools = [tool('note'), tool('end_call')];
const asked = (...said) => ({
  model: 'any',
  tools,
  messages: [
    { role: 'system', content: script },
    { role: 'assistant', content: 'Добрый день!' },
    ...said.map((content, nth) => ({ role: nth % 2 === 0 ? 'user' : 'assistant', content })),
  ],
});
const mood = (body) => fetch(`${base}/simulator/completions`, { method: 'POST', body: JSON.stringify(body) });
const refused = (promise) => promise.then(() => null, (error) => ({
  kind: error.constructor.name, status: error.status, code: error.code, type: error.type, message: error.message,
}));

(async () => {
  const told = { models: [] };
  for await (const model of client.models.list()) told.models.push(model.id);

  const whole = await client.chat.completions.create(asked('Да'));
  told.whole = { choice: whole.choices[0], usage: whole.usage, object: whole.object };

  const stream = await client.chat.completions.create({
    ...asked('Да'), stream: true, stream_options: { include_usage: true },
  });
  told.pieces = 0;
  told.streamed = '';
  for await (const chunk of stream) {
    told.pieces += 1;
    told.streamed += (chunk.choices[0] && chunk.choices[0].delta.content) || '';
    if (chunk.usage) told.usage = chunk.usage;
  }

  // The client's own helper puts the pieces together.
  const helped = client.chat.completions.stream(asked('Да', 'Когда вам удобно? Я подстроюсь.', 'Завтра'));
  told.final = (await helped.finalChatCompletion()).choices[0];

  // A tool's result, given back.
  await mood({ trouble: 'tools-first' });
  const first = await client.chat.completions.create(asked('Да'));
  const call = first.choices[0].message;
  const second = asked('Да');
  second.messages.push(call, { role: 'tool', tool_call_id: call.tool_calls[0].id, content: 'done' });
  told.afterTools = (await client.chat.completions.create({ ...second, tool_choice: 'none' })).choices[0].message.content;

  for (const [name, trouble] of [['key', 'wrong-key'], ['busy', 'too-many'], ['broken', 'fails'], ['overloaded', 'overloaded']]) {
    await mood({ trouble, times: 1 });
    told[name] = await refused(client.chat.completions.create(asked('Да')));
  }
  told.bad = await refused(client.chat.completions.create({ model: 'any', messages: [] }));
  await mood({ trouble: 'closes' });
  told.closed = await refused((async () => {
    for await (const _ of await client.chat.completions.create({ ...asked('Да'), stream: true }));
  })());
  process.stdout.write(JSON.stringify(told));
})().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
