// What `require(Modules.X)` brings, and the hooks by which the native side calls in.

const AMD_RESULTS = Object.freeze({ HUMAN: 'HUMAN', VOICEMAIL: 'VOICEMAIL', TIMEOUT: 'TIMEOUT', CALL_ENDED: 'CALL_ENDED' });

class Detector extends MediaUnit {
  #call;
  constructor(call) {
    super();
    this.#call = call;
  }
  of(call) { this.#call = call; }
  dress(event) {
    event.amd = this;
    event.call = this.#call;
    event.callId = this.#call && this.#call.id();
    return event;
  }
  detect() {
    if (!this.#call) throw new Error("The 'call' parameter is required, the operation will be skipped!");
    const call = handleOf(this.#call, 'detect');
    return promised((id) => op('amdDetect', handleOf(this, 'detect'), call, id), (told) => this.dress({ ...told }));
  }
}

class VoiceActivity extends MediaUnit {
  dress(event) { event.vad = this; return event; }
  webSocketId() { return this.id(); }
  reset() {}
  close() { op('vadClose', handleOf(this, 'close')); }
}

class TurnDetector extends MediaUnit {
  dress(event) { event.detector = this; return event; }
  predict() { op('predict', handleOf(this, 'predict')); }
  close() {}
}

class RealtimeClient extends MediaUnit {
  #closed = false;
  // The payload has fields of its own that are called like an event's.
  wrap(name, payload) {
    return name.startsWith('OpenAI.RealtimeAPI.') ? { name, client: this, data: { payload } } : { name, client: this, ...payload };
  }
  #tell(name, argument) {
    if (this.#closed) throw new Error('the client is closed');
    return op(name, handleOf(this, name), argument === undefined ? null : argument);
  }
  webSocketId() { return this.id(); }
  close() {
    if (!this.#closed) {
      this.#tell('modelClose');
      this.#closed = true;
    }
  }
  clearMediaBuffer() { this.#tell('modelClear'); }
  sessionUpdate(update) {
    if (!update || typeof update.session !== 'object') throw new TypeError('sessionUpdate: {session} is missing');
    this.#tell('modelUpdate', update.session);
  }
  conversationItemCreate(create) {
    if (!create || typeof create.item !== 'object') throw new TypeError('conversationItemCreate: {item} is missing');
    this.#tell('modelItem', create.item);
  }
  conversationItemRetrieve() {}
  conversationItemTruncate() {}
  conversationItemDelete() {}
  inputAudioBufferClear() {}
  inputAudioBufferCommit() {}
  responseCreate(create) {
    if (create === null || typeof create !== 'object') throw new TypeError('responseCreate: the argument is an object');
    this.#tell('modelCreate', create.response || {});
  }
  responseCancel() { this.#tell('modelCancel'); }
}

const REALTIME_EVENTS = 'Unknown HTTPResponse Error SessionCreated SessionUpdated ConversationItemAdded ConversationItemDone '
  + 'ConversationItemRetrieved ConversationItemTruncated ConversationItemDeleted ConversationItemInputAudioTranscriptionCompleted '
  + 'ConversationItemInputAudioTranscriptionDelta ConversationItemInputAudioTranscriptionSegment ConversationItemInputAudioTranscriptionFailed '
  + 'InputAudioBufferCommitted InputAudioBufferCleared InputAudioBufferSpeechStarted InputAudioBufferSpeechStopped '
  + 'InputAudioBufferTimeoutTriggered ResponseCreated ResponseDone ResponseOutputItemAdded ResponseOutputItemDone '
  + 'ResponseContentPartAdded ResponseContentPartDone ResponseOutputTextDelta ResponseOutputTextDone '
  + 'ResponseOutputAudioTranscriptDelta ResponseOutputAudioTranscriptDone ResponseOutputAudioDone '
  + 'ResponseFunctionCallArgumentsDelta ResponseFunctionCallArgumentsDone RateLimitsUpdated WebSocketError ConnectorInformation';

const modules = {
  ASR: () => ({
    ASRProfileList,
    ASR: Object.freeze({}),
    ASREvents: Object.freeze({
      ...events('ASR', 'Started CaptureStarted SpeechCaptured InterimResult Result Stopped'), ASRError: 'ASR.Error',
    }),
  }),
  AMD: () => ({
    AMD: Object.freeze({
      create(options) {
        const asked = options || {};
        const timeout = asked.timeout === undefined ? 6500 : Math.min(Math.max(Number(asked.timeout) || 0, 0), 20000);
        return known(new Detector(asked.call), op('amd', timeout));
      },
      Model: Object.freeze(Object.fromEntries('BR CL KZ MX RU PH PE US EU_GENERAL ES'.split(' ').map((name) => [name, name.toLowerCase()])
        .concat([['CO', 'colombia']]))),
      Events: events('AMD', 'DetectionComplete DetectionError'),
      ResultClass: AMD_RESULTS,
      ResultSubtype: Object.freeze({ MIMIC: 'MIMIC', NONE: 'NONE' }),
    }),
  }),
  Silero: () => ({
    Silero: Object.freeze({
      createVAD(options) {
        const asked = options || {};
        const silence = asked.minSilenceDurationMs === undefined ? 300 : Number(asked.minSilenceDurationMs);
        return promised((id) => op('vad', id, silence), (handle) => known(new VoiceActivity(), handle));
      },
      VADEvents: events('Silero.VAD', 'Result Error Reset ConnectorInformation'),
    }),
  }),
  Pipecat: () => ({
    Pipecat: Object.freeze({
      createTurnDetector: () => promised((id) => op('turns', id), (handle) => known(new TurnDetector(), handle)),
      TurnEvents: events('Pipecat.Turn', 'Result Error ConnectorInformation'),
    }),
  }),
  OpenAI: () => ({
    OpenAI: Object.freeze({
      async createRealtimeAPIClient(options) {
        const asked = options || {};
        if (!asked.apiKey) throw new Error('createRealtimeAPIClient: apiKey is missing');
        return promised((id) => op('model', id), (handle) => {
          const client = known(new RealtimeClient(), handle);
          if (typeof asked.onWebSocketClose === 'function') client.addEventListener('OpenAI.WebSocketClosed', asked.onWebSocketClose);
          return client;
        });
      },
      RealtimeAPIClientType: Object.freeze({ REALTIME: 'realtime', TRANSCRIPTION: 'transcription' }),
      RealtimeAPIEvents: events('OpenAI.RealtimeAPI', REALTIME_EVENTS),
      Events: events('OpenAI.Events', 'WebSocketMediaStarted WebSocketMediaEnded'),
    }),
  }),
  Player: () => ({}),
  Recorder: () => ({}),
  ApplicationStorage: () => ({
    ApplicationStorage: Object.freeze({
      put: async (key, value, ttl) => { op('storagePut', String(key), String(value), ttl); return { key, value, ttl }; },
      get: async (key) => { const held = op('storageGet', String(key)); return held === undefined || held === null ? null : { key, value: held }; },
      remove: async (key) => { op('storageRemove', String(key)); },
    }),
  }),
  CallList: () => {
    // A session that no list started is told so by the code, as by any server.
    const tell = (kind, value) => ({ code: op('callList', kind, value === undefined ? null : value) ? 200 : 404, text: '' });
    const kinds = { reportResult: 'result', reportError: 'error', reportProgress: 'progress', requestNextAttempt: 'next' };
    const methods = {};
    for (const [method, kind] of Object.entries(kinds)) {
      methods[method] = (value, callback) => {
        const told = tell(kind, value);
        if (typeof callback === 'function') Promise.resolve().then(() => callback(told));
      };
      methods[`${method}Async`] = async (value) => tell(kind, value);
    }
    return { CallList: Object.freeze(methods) };
  },
};
const Modules = Object.freeze(Object.fromEntries(Object.keys(modules).map((name) => [name, name.toLowerCase()])));
const required = new Set();
const require = (module) => {
  const name = Object.keys(modules).find((held) => held.toLowerCase() === module);
  if (name === undefined) throw new Error(`require: there is no module ${module}`);
  if (!required.has(name)) {
    required.add(name);
    Object.assign(globalThis, modules[name]());
  }
};
Object.assign(globalThis, { Modules, require });

// The hooks. `begin` says how many listeners an event has; the native side calls each by itself, so
// that one that must be stopped does not take the others with it.
let runs = [];
let event;
return {
  has(handle, name) {
    const unit = units.get(handle);
    if (unit instanceof Call && unit.deaf(name)) return 0;
    const held = unit === undefined ? undefined : Listeners.of(unit, name);
    return held === undefined ? 0 : held.length;
  },
  begin(handle, name, told) {
    const unit = units.get(handle);
    const fields = JSON.parse(told);
    if (name === 'Application.CallAlerting') {
      fields.call = known(new Call(fields.destination, fields.callerid, 'pstn', true), fields.handle);
      delete fields.handle;
    }
    if (name === 'AppEvents.NewWebSocketConnection') {
      fields.websocket = known(new Socket(), fields.handle);
      delete fields.handle;
    }
    event = unit instanceof RealtimeClient ? unit.wrap(name, fields) : unit.dress({ ...fields, name });
    runs = (Listeners.of(unit, name) || []).slice();
  },
  // A call's state follows its events whether or not anybody listens.
  note(handle, name) {
    const unit = units.get(handle);
    if (unit instanceof Call || unit instanceof Socket) unit.dress({ name });
  },
  invoke: (place) => runs[place](event),
  answer(place) {
    const told = runs[place](event);
    if (told === undefined || told === null) return '';
    return typeof told === 'string' || typeof told === 'number' ? String(told) : JSON.stringify(told);
  },
  fire(id) {
    const held = timers.get(id);
    if (held === undefined) return;
    if (!held.repeats) timers.delete(id);
    held.run(...held.args);
  },
  http(id, code, text, headers, error) {
    const held = requests.get(id);
    if (held === undefined) return;
    requests.delete(id);
    const result = { code };
    if (text !== undefined) {
      if (held.raw) result.data = str2bytes(text);
      else result.text = text;
    }
    if (headers !== '') {
      result.headers = JSON.parse(headers).map(([key, value]) => ({ key, value }));
      result.raw_headers = result.headers.map(({ key, value }) => `${key}: ${value}`).join('\r\n');
    }
    if (error !== undefined) result.error = error;
    held.done(result);
  },
  settle(id, ok, told) {
    const held = promises.get(id);
    if (held === undefined) return;
    promises.delete(id);
    if (ok) held.resolve(JSON.parse(told));
    else held.reject(new Error(JSON.parse(told)));
  },
};
