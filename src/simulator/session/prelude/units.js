// Telephony: events, calls, players, recognisers, VoxEngine. A unit is known to the native side by
// its handle and to the scenario by its id.

const units = new Map();
const handles = new WeakMap();
const handleOf = (unit, what) => {
  const handle = unit === null || typeof unit !== 'object' ? undefined : handles.get(unit);
  if (handle === undefined) throw new TypeError(`${what}: not a media unit of this session`);
  return handle;
};

class Listeners {
  #held = new Map();
  addEventListener(name, run) {
    if (typeof name !== 'string') throw new TypeError('addEventListener: there is no such event (its name is undefined)');
    if (typeof run !== 'function') throw new TypeError('addEventListener: the listener is not a function');
    const held = this.#held.get(name);
    if (held === undefined) this.#held.set(name, [run]);
    else if (!held.includes(run)) held.push(run);
  }
  removeEventListener(name, run) {
    if (run === undefined) this.#held.delete(name);
    else this.#held.set(name, (this.#held.get(name) || []).filter((held) => held !== run));
  }
  static of(unit, name) { return unit.#held.get(name); }
}

class MediaUnit extends Listeners {
  #id = uuidgen();
  // How an event's own fields are completed before the scenario sees it.
  dress(event) { return event; }
  id() { return this.#id; }
  sendMediaTo(unit, parameters) { op('attach', handleOf(this, 'sendMediaTo'), handleOf(unit, 'sendMediaTo'), parameters === undefined ? null : parameters); }
  stopMediaTo(unit) { op('detach', handleOf(this, 'stopMediaTo'), handleOf(unit, 'stopMediaTo')); }
}
Object.defineProperty(MediaUnit.prototype, 'dress', { enumerable: false });
const known = (unit, handle) => {
  handles.set(unit, handle);
  units.set(handle, unit);
  return unit;
};

const CUSTOM_DATA_BYTES_MAX = 200;
const customBytes = (text) => {
  const bytes = str2bytes(text).length;
  if (bytes > CUSTOM_DATA_BYTES_MAX) op('note', `custom data has ${bytes} bytes; ${CUSTOM_DATA_BYTES_MAX} are documented`);
  return text;
};

const CALL_STATES = { 'Call.Ringing': 'PROGRESSING', 'Call.Connected': 'CONNECTED', 'Call.Failed': 'FAILED', 'Call.Disconnected': 'DISCONNECTED' };

class Call extends MediaUnit {
  #number; #callerid; #type; #incoming; #data = ''; #state = 'PROGRESSING'; #tones = false;
  constructor(number, callerid, type, incoming) {
    super();
    this.#incoming = incoming === true;
    this.#number = number;
    this.#callerid = callerid;
    this.#type = type;
  }
  dress(event) {
    if (CALL_STATES[event.name]) this.#state = CALL_STATES[event.name];
    event.call = this;
    event.id = this.id();
    return event;
  }
  number() { return this.#number; }
  callerid() { return this.#callerid; }
  displayName() { return this.#callerid; }
  incoming() { return this.#incoming; }
  clientType() { return this.#type; }
  state() { return this.#state; }
  toString() { return `Call(${this.id()})`; }
  vad() { return false; }
  customData(value) {
    if (value !== undefined) this.#data = customBytes(String(value));
    return this.#data;
  }
  hangup() { op('hangup', handleOf(this, 'hangup')); }
  decline() { this.hangup(); }
  reject() { this.hangup(); }
  say(text, options) {
    if (typeof text !== 'string' || text === '') throw new TypeError('say: the text is empty');
    if (options !== undefined && (options === null || typeof options !== 'object')) throw new TypeError('say: the second argument is an object with a voice');
    op('say', handleOf(this, 'say'), text);
  }
  transferTo() { throw new Error('transfers are not simulated'); }
  startPlayback(url) { op('play', handleOf(this, 'startPlayback'), String(url)); }
  stopPlayback() { op('stopPlayback', handleOf(this, 'stopPlayback')); }
  record() { op('record', handleOf(this, 'record')); }
  handleTones(on) { this.#tones = on === true; }
  // Keys are heard by whoever has asked for them.
  deaf(name) { return name === 'Call.ToneReceived' && !this.#tones; }
  handleMicStatus() {}
  handleBlindTransfer() {}
  sendDigits() {}
  sendMessage() {}
  sendInfo() {}
  playProgressTone() {}
  startEarlyMedia() {}
  ring() {}
  answer() { op('answer', handleOf(this, 'answer')); }
  answerDirect() { this.answer(); }
  enableBeepDetection() {}
  disableBeepDetection() {}
  monitorMediaStatistics() {}
}

class Player extends MediaUnit {
  dress(event) { event.player = this; return event; }
  stop() { op('playerStop', handleOf(this, 'stop')); }
  pause() { op('playerStop', handleOf(this, 'pause')); }
  resume() { op('playerResume', handleOf(this, 'resume')); }
}

class Recogniser extends MediaUnit {
  dress(event) { event.asr = this; return event; }
  stop() { op('asrStop', handleOf(this, 'stop')); }
}

class Recorder extends MediaUnit {
  dress(event) { event.recorder = this; return event; }
  mute() {}
  stop() { op('recorderStop', handleOf(this, 'stop')); }
}

const SOCKET_STATES = { 'WebSocket.Open': 'open', 'WebSocket.Close': 'closed' };

class Socket extends MediaUnit {
  // A word, never a number.
  #state = 'connecting';
  get readyState() { return this.#state; }
  dress(event) {
    if (SOCKET_STATES[event.name]) this.#state = SOCKET_STATES[event.name];
    event.websocket = this;
    return event;
  }
  send(text) {
    if (typeof text !== 'string') throw new TypeError('send: the message is a string');
    if (this.#state !== 'open') throw new Error(`send: the WebSocket is ${this.#state}`);
    op('socketSend', handleOf(this, 'send'), text);
  }
  close() {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    op('socketClose', handleOf(this, 'close'));
  }
  clearMediaBuffer() { op('socketClear', handleOf(this, 'clearMediaBuffer')); }
}

const application = new Listeners();
units.set(0, Object.assign(application, { dress: (event) => event }));

let data = host.customData();
const voiceOptions = (options) => options || {};
const VoxEngine = Object.freeze({
  addEventListener: (name, run) => application.addEventListener(name, run),
  removeEventListener: (name, run) => application.removeEventListener(name, run),
  callPSTN(number, callerid, options) {
    if (typeof number !== 'string') throw new TypeError('callPSTN: the number is a string');
    if (typeof callerid !== 'string') throw new TypeError('callPSTN: the caller id is a string');
    const amd = options && options.amd ? handleOf(options.amd, 'callPSTN') : null;
    const call = known(new Call(number, callerid, 'pstn'), op('call', number, callerid, amd, false));
    if (amd !== null) units.get(amd).of(call);
    return call;
  },
  callSIP(to, options) {
    const from = typeof options === 'string' ? options : (options && options.callerid) || '';
    const amd = options && options.amd ? handleOf(options.amd, 'callSIP') : null;
    const call = known(new Call(String(to), from, 'sip'), op('call', String(to), from, amd, true));
    if (amd !== null) units.get(amd).of(call);
    return call;
  },
  customData(value) {
    if (value !== undefined) data = customBytes(String(value));
    return data;
  },
  getSecretValue: (name) => host.secret(String(name)),
  sendMediaBetween(a, b) {
    a.sendMediaTo(b);
    b.sendMediaTo(a);
  },
  stopMediaBetween(a, b) {
    a.stopMediaTo(b);
    b.stopMediaTo(a);
  },
  createTTSPlayer(text, options) {
    if (typeof text !== 'string' || text === '') throw new TypeError('createTTSPlayer: the text is empty');
    return known(new Player(), op('player', text, voiceOptions(options).onPause === true));
  },
  createURLPlayer: (request, options) => known(new Player(), op('player', null, voiceOptions(options).onPause === true)),
  createSequencePlayer: (segments, options) => known(new Player(), op('player', null, voiceOptions(options).onPause === true)),
  createASR(options) {
    if (typeof globalThis.ASR === 'undefined') throw new ReferenceError('ASR is not defined: require(Modules.ASR) first');
    const asked = options || {};
    if (asked.profile === undefined) throw new TypeError('createASR: the profile is undefined');
    return known(new Recogniser(), op('asr', asked.interimResults === true, asked.singleUtterance === true));
  },
  createRecorder: () => known(new Recorder(), op('recorder')),
  createWebSocket(url, options) {
    if (typeof url !== 'string') throw new TypeError('createWebSocket: the address is a string');
    return known(new Socket(), op('socket', url, options || {}));
  },
  createConference() { throw new Error('conferences are not simulated'); },
  allowWebSocketConnections: () => op('allowSockets'),
  createStreamingAgent() { throw new Error('streaming agents are not simulated'); },
  terminate: () => op('terminate'),
});

const events = (prefix, names) => Object.freeze(Object.fromEntries(names.split(' ').map((name) => [name, `${prefix}.${name}`])));
const AppEvents = Object.freeze({
  ...events('Application', 'Started HttpRequest CallAlerting Terminating Terminated'),
  WebSocket: 'AppEvents.NewWebSocketConnection', NewWebSocketFailed: 'Application.OnNewWebSocketFailed',
});
const CallEvents = events('Call', 'Ringing AudioStarted Connected Disconnected Failed PlaybackReady PlaybackStarted PlaybackFinished '
  + 'RecordStarted RecordStopped RecordError ToneReceived BeepDetectionComplete RtpStopped RtpResumed FirstAudioPacketReceived '
  + 'AudioQualityDetected MediaStatisticsReceived StateChanged MicStatusChange MessageReceived InfoReceived OnHold OffHold');
const PlayerEvents = events('Player', 'Created Started Stopped PlaybackReady PlaybackFinished PlaybackBuffering '
  + 'PlaybackMarkerReached AudioChunksPlaybackFinished Error');
const RecorderEvents = events('Recorder', 'Started Stopped RecorderError');
const WebSocketEvents = Object.freeze({
  OPEN: 'WebSocket.Open', MESSAGE: 'WebSocket.Message', CLOSE: 'WebSocket.Close', ERROR: 'WebSocket.Error',
  CREATED: 'WebSocket.Created', MEDIA_STARTED: 'WebSocket.MediaStarted', MEDIA_ENDED: 'WebSocket.MediaEnded',
});
const WebSocketAudioEncoding = Object.freeze({ PCM16_8KHZ: 'PCM8', PCM16_16KHZ: 'PCM16', ALAW: 'ALAW', ULAW: 'ULAW', OPUS: 'OPUS' });

// A provider's voices cannot be listed here; whatever looks like a voice's name is one.
const PROVIDERS = ['Amazon', 'Google', 'IBM', 'Microsoft', 'Yandex', 'YandexV3', 'TBank', 'Tinkoff', 'SaluteSpeech', 'SberDevices',
  'Default', 'ElevenLabs', 'Deepgram', 'Cartesia', 'Inworld', 'OpenAI', 'VoxTTS'];
const voices = (path) => new Proxy({}, {
  get(_, name) {
    if (typeof name !== 'string' || name === 'toJSON' || name === 'then') return undefined;
    const full = `${path}.${name}`;
    return name.includes('_') || path.split('.').length > 1 ? full : voices(full);
  },
});
const VoiceList = Object.freeze(Object.fromEntries(PROVIDERS.map((name) => [name, voices(name)])));
const profiles = (path) => new Proxy({}, {
  get: (_, name) => (typeof name === 'string' && name !== 'toJSON' && name !== 'then' ? `${path}.${name}` : undefined),
});
const ASRProfileList = Object.freeze(Object.fromEntries(PROVIDERS.map((name) => [name, profiles(name)])));

Object.assign(globalThis, {
  VoxEngine, AppEvents, CallEvents, PlayerEvents, RecorderEvents, WebSocketEvents, WebSocketAudioEncoding, VoiceList,
});
