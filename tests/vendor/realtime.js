// OpenAI's own Node client, unchanged, against the stand-in's realtime half: speech there and back, a tool, an
// interruption, and every way in which it can go wrong. node realtime.js https://HOST:PORT; prints one JSON object.
const OpenAI = require('openai');
const { OpenAIRealtimeWS } = require('openai/realtime/ws');
const { OpenAIRealtimeWebSocket } = require('openai/realtime/websocket');
// Node of this age has no WebSocket of its own; a browser has.
globalThis.WebSocket = globalThis.WebSocket || require('ws').WebSocket;

const [base] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'sk-made-up', maxRetries: 0 });
const instructions = 'PHASE 1 hello: «Добрый день!»\nPHASE 2 when: «Когда вам удобно?»\nEND: «Спасибо, до свидания!»';
const SILENCE = Buffer.alloc(24000 * 2 * 0.7);

/** A session; `next` waits for an event of a kind, in the order in which they come. */
const session = (made) => {
  const events = [];
  const errors = [];
  const waiting = [];
  const look = () => {
    while (waiting.length > 0) {
      const { is, done } = waiting[0];
      const at = events.findIndex(is);
      if (at < 0) return;
      const [found] = events.splice(0, at + 1).slice(-1);
      waiting.shift();
      done(found);
    }
  };
  made.on('event', (event) => { events.push(event); look(); });
  made.on('error', (error) => { errors.push({ message: error.message, code: error.error && error.error.code }); });
  const closed = new Promise((done) => { made.socket.addEventListener('close', (event) => done(event.code)); });
  const next = (type) => new Promise((done) => { waiting.push({ is: (event) => event.type === type, done }); look(); });
  return { made, next, errors, closed };
};

/** Everything that one response says and calls. */
const response = async (s) => {
  const told = { transcript: null, heard: Buffer.alloc(0) };
  const audio = (event) => { told.heard = Buffer.concat([told.heard, Buffer.from(event.delta, 'base64')]); };
  s.made.on('response.output_audio.delta', audio);
  const done = await s.next('response.done');
  s.made.off('response.output_audio.delta', audio);
  const [said, called] = done.response.output;
  told.status = done.response.status;
  told.why = done.response.status_details && done.response.status_details.reason;
  told.transcript = said && said.content[0].transcript;
  told.call = called && { name: called.name, arguments: JSON.parse(called.arguments), id: called.call_id };
  told.usage = done.response.usage;
  return told;
};

const say = (s, audio) => {
  for (let at = 0; at < audio.length; at += 4800) {
    s.made.send({ type: 'input_audio_buffer.append', audio: audio.subarray(at, at + 4800).toString('base64') });
  }
};

const opened = async (model) => {
  const s = session(new OpenAIRealtimeWS({ model }, client));
  await s.next('session.created');
  s.made.send({ type: 'session.update', session: {
    type: 'realtime', instructions, output_modalities: ['audio'],
    audio: { input: { transcription: { model: 'gpt-4o-transcribe' } }, output: { voice: 'cedar' } },
    tools: [{ type: 'function', name: 'end_call', parameters: { type: 'object', properties: {} } }],
  } });
  return s;
};

const shown = ({ heard, ...told }) => ({ ...told, audio_ms: heard.length / 48 });

let printed = false;
process.on('exit', () => {
  if (printed) return;
  process.stderr.write('what is waited for never came\n');
  process.exitCode = 1;
});

(async () => {
  const told = {};
  const s = await opened('gpt-realtime');
  told.format = (await s.next('session.updated')).session.audio.output.format;
  s.made.send({ type: 'response.create' });
  const greeting = await response(s);
  told.greeting = shown(greeting);

  // Its own words are said back to it: it hears what was said.
  const order = [];
  s.made.on('event', (event) => { if (/^(input_audio_buffer|conversation\.item\.input)/.test(event.type)) order.push(event.type); });
  say(s, Buffer.concat([greeting.heard, SILENCE]));
  const heard = s.next('conversation.item.input_audio_transcription.completed');
  const second = response(s);
  told.understood = (await heard).transcript;
  told.second = shown(await second);
  told.order = [...order];

  say(s, Buffer.concat([greeting.heard, SILENCE]));
  const last = await response(s);
  told.last = shown(last);
  s.made.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id: last.call.id, output: '{"ok":true}' } });
  let kept;
  do kept = await s.next('conversation.item.done'); while (kept.item.type !== 'function_call_output');
  told.kept = kept.item.call_id === last.call.id;

  // Whoever speaks into a response ends it.
  s.made.send({ type: 'response.create', response: { instructions: `Say exactly: «${'Это длинная история. '.repeat(20)}»` } });
  await s.next('response.output_audio.delta');
  say(s, greeting.heard);
  told.interrupted = shown(await response(s));

  s.made.send({ type: 'conversation.item.truncate', item_id: 'nobody', content_index: 0, audio_end_ms: 1 });
  await s.next('error');
  told.errors = s.errors;
  s.made.close();
  told.closed = await s.closed;

  for (const [name, model] of [['refused', 'stand-in-refused'], ['busy', 'stand-in-busy']]) {
    const none = session(new OpenAIRealtimeWS({ model }, client));
    await none.closed;
    told[name] = none.errors.map((error) => error.message);
  }
  for (const [name, model] of [['broken', 'stand-in-breaks'], ['ended', 'stand-in-closes']]) {
    const trouble = await opened(model);
    for (const _ of [1, 2]) {
      trouble.made.send({ type: 'response.create' });
      await Promise.race([trouble.next('response.done'), trouble.closed]);
    }
    told[name] = await trouble.closed;
  }

  const browser = session(new OpenAIRealtimeWebSocket({ model: 'gpt-realtime', dangerouslyAllowBrowser: true }, client));
  told.browser = (await browser.next('session.created')).session.model;
  browser.made.close();
  process.stdout.write(JSON.stringify(told));
  printed = true;
  process.exit(0);
})().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
