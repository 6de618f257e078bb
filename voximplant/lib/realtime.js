// The talker of both realtime modes: OpenAI's realtime model hears and speaks. It is created while it
// rings. With the tool `get_reply` every reply is fetched from `dialog_url`; with `end_call` the model
// ends the call itself. The key comes from the platform's secret store and from nowhere else.

const realtime = (() => {
  const SECRET = 'OPENAI_API_KEY';
  /** The model has this long to finish its goodbye. */
  const GOODBYE_MS = 15000;
  /** The platform says that audio ended when none came for this long. */
  const MEDIA_END_MS = 1000;
  const TURN_SILENCE_MS = 500;
  const FAILURES_MAX = 2;
  /** What the last event tells of tools: so many calls, so much of the arguments of each. */
  const TOOLS_TOLD = 20;
  const ARGUMENTS_TOLD = 200;

  const GET_REPLY = {
    type: 'function', name: 'get_reply',
    description: 'Fetches what to say next. Call it for everything the other person says.',
    parameters: { type: 'object', properties: { text: { type: 'string', description: 'What the person said, word for word.' } }, required: ['text'] },
  };

  /** Adds up the numbers of a usage, whatever its parts are called. @param {any} into @param {any} from @returns {any} */
  const added = (into, from) => {
    Object.keys(from || {}).forEach((name) => {
      const value = from[name];
      if (typeof value === 'number') into[name] = (into[name] || 0) + value;
      else if (value && typeof value === 'object' && !Array.isArray(value)) into[name] = added(into[name] || {}, value);
    });
    return into;
  };

  /** @param {'hybrid' | 'pure'} kind @returns {Talker} */
  const talker = (kind) => {
    /** @type {OpenAI.RealtimeAPIClient | null} */
    let client = null;
    let ready = false;
    let started = false;
    /** A response is being made; another may not be asked for. */
    let active = false;
    /** @type {object | null} */
    let waiting = null;
    let spoke = false;
    /** The turn that the response under way answers. */
    let answers = 0;
    let streaming = false;
    let ending = false;
    let failures = 0;
    let turn = 0;
    let silence = TURN_SILENCE_MS;
    let lastCall = '';
    /** @type {Set<string>} */
    const seen = new Set();
    /** What the model used and which tools it called, for the last event. @type {{name: string, responses: number, usage: object, tools: object[]}} */
    const used = { name: '', responses: 0, usage: {}, tools: [] };
    /** @type {Set<string>} The tools that the model was given: nothing else can be called. */
    let declared = new Set();

    /** Fillers: their words are no reply. When the reply behind one is heard nobody can tell: the platform plays both as one. @type {WeakSet<object>} */
    const quiet = new WeakSet();
    let quietNext = false;
    let quietNow = false;

    /** @param {object} parameters */
    const respond = (parameters) => {
      if (!client) return;
      if (active) {
        waiting = parameters;
        return;
      }
      active = true;
      quietNext = quiet.has(parameters);
      client.responseCreate(parameters);
    };

    /** @param {Session} s */
    const fetches = (s) => kind === 'hybrid' && Boolean(s.grant.dialog_url);

    /** @param {Session} s */
    const settings = (s) => {
      const tools = s.grant.tools || [];
      const hybrid = fetches(s);
      const detection = {
        type: 'server_vad', threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: TURN_SILENCE_MS,
        create_response: true, interrupt_response: true, ...(s.grant.turn_detection || {}),
      };
      silence = detection.type === 'server_vad' ? detection.silence_duration_ms : 0;
      const given = hybrid && !tools.some((tool) => tool.name === GET_REPLY.name) ? [...tools, GET_REPLY] : tools;
      declared = new Set(given.map((tool) => String(tool.name)));
      return {
        type: 'realtime', instructions: s.grant.instructions, output_modalities: ['audio'],
        audio: {
          input: {
            transcription: { model: 'gpt-4o-transcribe', ...tongue.expected(s.grant.language) },
            noise_reduction: { type: 'near_field' }, turn_detection: detection,
          },
          output: { voice: tongue.modelVoice(s.grant.voice) },
        },
        tools: given,
        // In the hybrid the model must not answer out of its own head.
        tool_choice: hybrid ? 'required' : 'auto',
      };
    };

    const exactly = (/** @type {string} */ text) => ({ response: { instructions: `Say exactly: «${text}»`, tool_choice: 'none' } });

    /** In the model's own words; in the hybrid without another tool. @param {Session} s */
    const freely = (s) => (fetches(s) ? { response: { tool_choice: 'none' } } : {});

    /** @param {Session} s */
    const begin = async (s) => {
      if (started || !ready || !client || s.over || s.leaving) return;
      started = true;
      client.sendMediaTo(s.call);
      s.ruler.hearAgent(client);
      s.listen(client);
      if (s.grant.first_phrase !== '') {
        respond(exactly(s.greeting));
      } else if (fetches(s)) {
        const opening = await s.ask({});
        if (s.over || s.leaving) return;
        if (!opening) {
          s.fail('replier', 'no opening');
          return;
        }
        s.note(opening);
        if (opening.end_session) finish(s);
        respond(exactly(`${s.greeting} ${opening.reply_text || ''}`.trim()));
      } else {
        // The model opens on its own, but the notice of the recording is ours.
        if (s.greeting !== '') respond(exactly(s.greeting));
        respond({ response: { tool_choice: 'none' } });
      }
    };

    /** @param {Session} s */
    const finish = (s) => {
      if (ending) return;
      ending = true;
      s.leaving = true;
      s.after(() => s.hangUp('agent'), GOODBYE_MS);
    };
    /** The goodbye is over when the model has said all and the line is silent. @param {Session} s */
    const settle = (s) => {
      if (ending && !active && waiting === null && !streaming) s.hangUp('agent');
    };

    /** @param {Session} s @param {string} id @param {string} output @param {object | null} next What is to be said then. */
    const output = (s, id, output, next) => {
      if (!client || s.over) return;
      client.conversationItemCreate({ item: { type: 'function_call_output', call_id: id, output } });
      if (next) respond(next);
    };

    /** @param {Session} s @param {any} called */
    const tool = async (s, called) => {
      if (seen.has(called.call_id) || s.over) return;
      seen.add(called.call_id);
      lastCall = called.call_id;
      /** @type {any} */
      let given = {};
      try {
        given = JSON.parse(called.arguments || '{}');
      } catch (error) {
        halo.log(`arguments of ${called.name}: ${error}`);
      }
      // Anything that is no object holds no arguments.
      if (given === null || typeof given !== 'object' || Array.isArray(given)) given = {};
      const allowed = declared.has(called.name);
      if (used.tools.length < TOOLS_TOLD) {
        const told = JSON.stringify(given).slice(0, ARGUMENTS_TOLD);
        used.tools.push({ name: String(called.name).slice(0, 60), arguments: told, result: allowed ? 'done' : 'refused' });
      }
      if (allowed && called.name === 'end_call') {
        s.note(given);
        const said = spoke;
        finish(s);
        // A model that ends without a word is asked for one.
        output(s, called.call_id, '{"ok":true}', said ? null : freely(s));
        return;
      }
      if (!allowed || called.name !== GET_REPLY.name || !fetches(s)) {
        output(s, called.call_id, '{"error":"there is no such tool"}', freely(s));
        return;
      }
      turn += 1;
      let filled = false;
      const reply = await s.ask({ turn, text: String(given.text || s.ruler.lastText()), is_final: true }, (filler) => {
        // Over what is being said nothing is filled.
        if (active || filled) return;
        filled = true;
        s.ruler.filled();
        const words = exactly(filler);
        quiet.add(words);
        respond(words);
      });
      if (s.over || s.leaving) return;
      if (!reply) {
        s.fail('replier', 'no reply');
        return;
      }
      s.note(reply);
      const text = reply.reply_text || '';
      if (reply.end_session) finish(s);
      // Word for word: left to itself a model tells in its own words what it has fetched.
      const speaks = text !== '' && (called.call_id === lastCall || Boolean(reply.end_session));
      output(s, called.call_id, text, speaks ? exactly(text) : null);
      if (text === '') settle(s);
    };

    /** @param {Session} s @param {OpenAI.RealtimeAPIClient} made */
    const attend = (s, made) => {
      const events = OpenAI.RealtimeAPIEvents;
      /** @param {OpenAI.RealtimeAPIEvents} name @param {(payload: any) => unknown} run @param {boolean} [last] It matters even after the call. */
      const on = (name, run, last = false) => made.addEventListener(name, (/** @type {OpenAI.RealtimeEvent} */ event) => {
        if (s.over && !last) return;
        try {
          const told = run((event && event.data && event.data.payload) || {});
          if (told instanceof Promise) told.catch((error) => s.fail('scenario', error));
        } catch (error) {
          s.fail('scenario', error);
        }
      });
      on(events.SessionCreated, () => made.sessionUpdate({ session: settings(s) }));
      on(events.SessionUpdated, () => {
        ready = true;
        return connected ? begin(s) : undefined;
      });
      on(events.InputAudioBufferSpeechStarted, () => {
        s.ruler.vendorCalleeBegan();
        if (!s.leaving) made.clearMediaBuffer();
      });
      on(events.InputAudioBufferSpeechStopped, () => s.ruler.vendorCalleeEnded(silence > 0 ? silence : null));
      on(events.ConversationItemInputAudioTranscriptionCompleted, (payload) => {
        const text = String(payload.transcript || '').trim();
        if (text === '') return;
        if (s.over) s.ruler.lastWord(text); else s.ruler.calleeText(text);
      }, true);
      on(events.ResponseCreated, () => {
        active = true;
        quietNow = quietNext;
        quietNext = false;
        spoke = false;
        answers = s.ruler.turns();
        s.ruler.modelBegins();
      });
      on(events.ResponseOutputAudioTranscriptDelta, () => {
        // While a stream goes on, its start is not told again: the text is the only sign.
        if (!spoke && streaming) s.ruler.vendorAgentBegan();
        spoke = true;
      });
      on(events.ResponseOutputAudioTranscriptDone, (payload) => {
        spoke = true;
        if (!quietNow) s.ruler.agentText(String(payload.transcript || ''), answers);
      });
      on(events.ResponseFunctionCallArgumentsDone, (payload) => tool(s, payload));
      on(events.ResponseDone, (payload) => {
        active = false;
        const next = waiting;
        waiting = null;
        const status = payload.response && payload.response.status;
        used.responses += 1;
        added(used.usage, payload.response && payload.response.usage);
        if (status === 'failed') {
          failures += 1;
          halo.log(`response failed: ${JSON.stringify(payload.response.status_details)}`);
          if (failures >= FAILURES_MAX) s.fail('model', 'responses fail');
          else respond(next || {});
          return;
        }
        if (next) respond(next);
        else if (!spoke) settle(s);
      });
      on(events.Error, (payload) => {
        const error = payload.error || {};
        halo.log(`model: ${error.code || error.type}: ${error.message}`);
        if (!ready) s.fail('model', 'the session was refused');
        // A refused request made no response.
        else if (error.type === 'invalid_request_error' && error.code !== 'conversation_already_has_active_response') active = false;
      });
      on(events.WebSocketError, () => s.fail('model', 'connection error'));
      on(events.HTTPResponse, (payload) => {
        const status = Number(payload.status || payload.statusCode || payload.code || 0);
        if (status >= 400) s.fail('model', `the connection was refused with ${status}`);
      });
      made.addEventListener(OpenAI.Events.WebSocketMediaStarted, () => {
        streaming = true;
        s.ruler.vendorAgentBegan();
      });
      made.addEventListener(OpenAI.Events.WebSocketMediaEnded, () => {
        streaming = false;
        s.ruler.vendorAgentEnded(MEDIA_END_MS);
        settle(s);
      });
    };

    let connected = false;
    let closed = false;
    return {
      fault: 'model',
      unready: () => (VoxEngine.getSecretValue(SECRET) ? null : `the secret ${SECRET} is not set`),

      async dialled(s) {
        used.name = s.grant.model || 'gpt-realtime';
        s.spent(used);
        /** @type {OpenAI.RealtimeAPIClient} */
        let made;
        try {
          made = await OpenAI.createRealtimeAPIClient({
            apiKey: VoxEngine.getSecretValue(SECRET) || '', model: s.grant.model || 'gpt-realtime',
            type: OpenAI.RealtimeAPIClientType.REALTIME, ...(s.grant.openai_base_url ? { baseUrl: s.grant.openai_base_url } : {}),
            onWebSocketClose: () => {
              closed = true;
              if (client && !s.over) s.fail('model', 'the connection was closed');
            },
          });
        } catch (error) {
          s.fail('model', error);
          return;
        }
        if (s.over || s.leaving) {
          made.close();
          return;
        }
        if (closed) {
          s.fail('model', 'the connection was closed');
          return;
        }
        client = made;
        attend(s, made);
      },

      connected(s) {
        connected = true;
        return begin(s);
      },

      close() {
        const closing = client;
        client = null;
        if (closing) closing.close();
      },
    };
  };

  return Object.freeze({ talker });
})();
