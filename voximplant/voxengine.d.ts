/// <reference path="./voxengine_modules.d.ts" />
// The platform's scenario API, declared by this project from its fact sheet for its own type check. Names
// and shapes are the platform's. What is not declared here does not exist for us.
// No DOM, no Node: a scenario that reaches for `fetch` or `console` fails the check as it would fail there.
// Events are enumerations and every listener gets its own event's fields, so that an event that does not
// exist and a field of another event are mistakes the check finds.

interface VoxEvent {
  readonly name: string;
}

/** Whatever tells of events; `M` says which event brings which fields. */
interface Telling<M> {
  addEventListener<K extends keyof M>(event: K, listener: (event: M[K]) => unknown): void;
  removeEventListener<K extends keyof M>(event: K, listener?: (event: M[K]) => unknown): void;
}

interface VoxUnit {
  id(): string;
}

interface VoxSource extends VoxUnit {
  sendMediaTo(unit: VoxUnit, parameters?: object): void;
  stopMediaTo(unit: VoxUnit): void;
}

// The session.

declare enum AppEvents {
  Started = 'Application.Started',
  HttpRequest = 'Application.HttpRequest',
  CallAlerting = 'Application.CallAlerting',
  WebSocket = 'AppEvents.NewWebSocketConnection',
  NewWebSocketFailed = 'Application.OnNewWebSocketFailed',
  Terminating = 'Application.Terminating',
  Terminated = 'Application.Terminated',
}

/** It carries no custom data: that is `VoxEngine.customData()`. */
interface StartedEvent extends VoxEvent {
  readonly accessURL: string;
  readonly accessSecureURL: string;
  readonly accountId: number;
  readonly applicationId: number;
  readonly logURL: string;
  /** The session's id in the call history; larger than 32 bits. */
  readonly sessionId: number | string;
  readonly conference_name?: string;
}

/** Only headers that begin with `X-` are passed. What the listener returns is the answer's body. */
interface HttpRequestEvent extends VoxEvent {
  readonly method: string;
  readonly path: string;
  readonly content: string;
  readonly headers: { key: string; value: string }[];
}

interface CallAlertingEvent extends VoxEvent {
  readonly call: Call;
  readonly callerid?: string;
  readonly destination?: string;
  readonly displayName?: string;
  readonly customData?: string;
  readonly headers?: Record<string, string>;
}

interface AppEventMap {
  [AppEvents.Started]: StartedEvent;
  [AppEvents.HttpRequest]: HttpRequestEvent;
  [AppEvents.CallAlerting]: CallAlertingEvent;
  [AppEvents.WebSocket]: HttpRequestEvent & { readonly websocket: VoxSocket };
  [AppEvents.NewWebSocketFailed]: VoxEvent;
  [AppEvents.Terminating]: VoxEvent & { readonly systemError?: string };
  [AppEvents.Terminated]: VoxEvent & { readonly systemError?: string };
}

interface SpeechOptions {
  voice?: Voice;
  progressivePlayback?: boolean;
  ttsOptions?: { rate?: string | number; pitch?: string | number; volume?: string | number; emotion?: string; speed?: number };
  request?: object;
}

declare namespace VoxEngine {
  function addEventListener<K extends keyof AppEventMap>(event: K, listener: (event: AppEventMap[K]) => unknown): void;
  function removeEventListener<K extends keyof AppEventMap>(event: K, listener?: (event: AppEventMap[K]) => unknown): void;
  /** There is no option for the time it rings: 60 s at most. */
  function callPSTN(number: string, callerid: string, parameters?: { amd?: AMD.AnsweringMachineDetector; followDiversion?: boolean }): Call;
  function callSIP(to: string, parameters?: {
    callerid?: string; displayName?: string; password?: string; authUser?: string; outProxy?: string; regId?: number;
    headers?: Record<string, string>; video?: boolean; amd?: AMD.AnsweringMachineDetector;
  }): Call;
  /** At most 200 bytes. */
  function customData(value?: string): string;
  function getSecretValue(name: string): string | undefined;
  /** At most 1500 characters; ten players at a time. */
  function createTTSPlayer(text: string, parameters?: SpeechOptions & { onPause?: boolean }): Player;
  function createURLPlayer(request: { url: string; method?: string; headers?: object; body?: string }, parameters?: {
    loop?: boolean; onPause?: boolean; progressivePlayback?: boolean;
  }): Player;
  function createSequencePlayer(parameters: { segments: object[] }): Player;
  function createASR(parameters: {
    profile: ASRProfile; model?: string; interimResults?: boolean; singleUtterance?: boolean; phraseHints?: string[];
    profanityFilter?: boolean; request?: object;
  }): ASR;
  function createRecorder(parameters?: RecordOptions): Recorder;
  function createWebSocket(url: string, parameters?: {
    protocols?: string[]; headers?: { name: string; value: string }[]; statistics?: boolean; trace?: boolean; privacy?: boolean;
  }): VoxSocket;
  function createConference(parameters?: object): VoxSource;
  function createStreamingAgent(parameters: object): VoxSource;
  function allowWebSocketConnections(): void;
  function sendMediaBetween(a: VoxSource, b: VoxSource): void;
  function stopMediaBetween(a: VoxSource, b: VoxSource): void;
  /** Does not stop the block it stands in. */
  function terminate(): void;
}

// Calls.

declare enum CallEvents {
  Ringing = 'Call.Ringing',
  AudioStarted = 'Call.AudioStarted',
  Connected = 'Call.Connected',
  Disconnected = 'Call.Disconnected',
  Failed = 'Call.Failed',
  PlaybackReady = 'Call.PlaybackReady',
  PlaybackStarted = 'Call.PlaybackStarted',
  PlaybackFinished = 'Call.PlaybackFinished',
  RecordStarted = 'Call.RecordStarted',
  RecordStopped = 'Call.RecordStopped',
  RecordError = 'Call.RecordError',
  ToneReceived = 'Call.ToneReceived',
  BeepDetectionComplete = 'Call.BeepDetectionComplete',
  RtpStopped = 'Call.RtpStopped',
  RtpResumed = 'Call.RtpResumed',
  FirstAudioPacketReceived = 'Call.FirstAudioPacketReceived',
  AudioQualityDetected = 'Call.AudioQualityDetected',
  MediaStatisticsReceived = 'Call.MediaStatisticsReceived',
  StateChanged = 'Call.StateChanged',
  MicStatusChange = 'Call.MicStatusChange',
  MessageReceived = 'Call.MessageReceived',
  InfoReceived = 'Call.InfoReceived',
  OnHold = 'Call.OnHold',
  OffHold = 'Call.OffHold',
}

interface CallEvent extends VoxEvent {
  readonly call: Call;
  readonly id: string;
}

interface CallEventMap {
  [CallEvents.Ringing]: CallEvent & { readonly headers: Record<string, string> };
  [CallEvents.AudioStarted]: CallEvent & { readonly headers: Record<string, string> };
  [CallEvents.Connected]: CallEvent & { readonly customData?: string; readonly headers?: Record<string, string>; readonly scheme?: string };
  /** Only after Connected. */
  [CallEvents.Disconnected]: CallEvent & {
    readonly internalCode: number; readonly reason: string; readonly duration: number; readonly cost: number;
    readonly direction: string; readonly headers: Record<string, string>;
  };
  /** Never connected. */
  [CallEvents.Failed]: CallEvent & { readonly code: number; readonly reason: string; readonly headers: Record<string, string> };
  [CallEvents.PlaybackReady]: CallEvent;
  [CallEvents.PlaybackStarted]: CallEvent & { readonly duration: number };
  [CallEvents.PlaybackFinished]: CallEvent & { readonly error?: string };
  [CallEvents.RecordStarted]: CallEvent & { readonly url: string };
  /** Comes after Disconnected. */
  [CallEvents.RecordStopped]: CallEvent & { readonly url: string; readonly cost: number; readonly duration: number };
  [CallEvents.RecordError]: CallEvent;
  /** Needs `handleTones(true)`. */
  [CallEvents.ToneReceived]: CallEvent & { readonly tone: string; readonly type: string };
  [CallEvents.BeepDetectionComplete]: CallEvent & { readonly frequencies: number[]; readonly timeout: number };
  [CallEvents.RtpStopped]: CallEvent;
  [CallEvents.RtpResumed]: CallEvent;
  [CallEvents.FirstAudioPacketReceived]: CallEvent;
  [CallEvents.AudioQualityDetected]: CallEvent & { readonly quality: string };
  [CallEvents.MediaStatisticsReceived]: CallEvent;
  [CallEvents.StateChanged]: CallEvent;
  [CallEvents.MicStatusChange]: CallEvent;
  [CallEvents.MessageReceived]: CallEvent & { readonly text: string };
  [CallEvents.InfoReceived]: CallEvent & { readonly mimeType: string; readonly body: string };
  [CallEvents.OnHold]: CallEvent;
  [CallEvents.OffHold]: CallEvent;
}

interface RecordOptions {
  stereo?: boolean; hd_audio?: boolean; lossless?: boolean; expire?: number; secure?: boolean; transcribe?: boolean;
  language?: string; recordNamePrefix?: string; provider?: string; format?: string; dict?: string; labels?: string[];
}

interface Call extends VoxSource, Telling<CallEventMap> {
  state(): string;
  number(): string;
  callerid(): string;
  displayName(): string;
  incoming(): boolean;
  clientType(): 'pstn' | 'sip' | 'user' | 'wab';
  customData(value?: string): string;
  vad(): boolean;
  answer(headers?: Record<string, string>): void;
  answerDirect(peer: Call): void;
  decline(code: number): void;
  reject(code: number): void;
  ring(headers?: Record<string, string>): void;
  startEarlyMedia(headers?: Record<string, string>): void;
  hangup(headers?: Record<string, string>): void;
  /** A second one cuts the first. */
  say(text: string, parameters?: SpeechOptions): void;
  startPlayback(url: string, parameters?: { loop?: boolean; progressivePlayback?: boolean }): void;
  /** PlaybackFinished does not follow. */
  stopPlayback(): void;
  record(parameters?: RecordOptions): void;
  playProgressTone(country: string): void;
  sendMessage(text: string): void;
  sendInfo(mimeType: string, body: string, headers?: Record<string, string>): void;
  sendDigits(digits: string): void;
  handleTones(on: boolean): void;
  handleMicStatus(on: boolean): void;
  handleBlindTransfer(on: boolean): void;
  enableBeepDetection(parameters: { frequencies?: number[]; timeout?: number }): void;
  disableBeepDetection(): void;
  transferTo(parameters: object): void;
  monitorMediaStatistics(parameters: object): void;
}

// Players and recorders.

declare enum PlayerEvents {
  Created = 'Player.Created',
  Started = 'Player.Started',
  Stopped = 'Player.Stopped',
  PlaybackReady = 'Player.PlaybackReady',
  PlaybackFinished = 'Player.PlaybackFinished',
  PlaybackBuffering = 'Player.PlaybackBuffering',
  PlaybackMarkerReached = 'Player.PlaybackMarkerReached',
  AudioChunksPlaybackFinished = 'Player.AudioChunksPlaybackFinished',
  Error = 'Player.Error',
}

interface PlayerEvent extends VoxEvent {
  readonly player: Player;
}

interface PlayerEventMap {
  [PlayerEvents.Created]: PlayerEvent;
  [PlayerEvents.Started]: PlayerEvent & { readonly duration?: number };
  [PlayerEvents.Stopped]: PlayerEvent;
  [PlayerEvents.PlaybackReady]: PlayerEvent;
  [PlayerEvents.PlaybackFinished]: PlayerEvent & { readonly error?: string };
  [PlayerEvents.PlaybackBuffering]: PlayerEvent;
  [PlayerEvents.PlaybackMarkerReached]: PlayerEvent;
  [PlayerEvents.AudioChunksPlaybackFinished]: PlayerEvent & { readonly timeToFirstByte?: number };
  [PlayerEvents.Error]: PlayerEvent & { readonly error?: string };
}

interface Player extends VoxSource, Telling<PlayerEventMap> {
  stop(): void;
  pause(): void;
  resume(): void;
}

declare enum RecorderEvents {
  Started = 'Recorder.Started',
  Stopped = 'Recorder.Stopped',
  RecorderError = 'Recorder.RecorderError',
}

interface RecorderEventMap {
  [RecorderEvents.Started]: VoxEvent & { readonly recorder: Recorder; readonly url: string };
  [RecorderEvents.Stopped]: VoxEvent & { readonly recorder: Recorder; readonly cost: number; readonly duration: number };
  [RecorderEvents.RecorderError]: VoxEvent & { readonly recorder: Recorder; readonly error?: string };
}

interface Recorder extends VoxUnit, Telling<RecorderEventMap> {
  mute(on: boolean): void;
  stop(): void;
}

// Voices and recognisers. Members are those that the fact sheet knows; a provider may be missing in an engine.

interface Voice {
  readonly voice: unique symbol;
}
interface ASRProfile {
  readonly profile: unique symbol;
}

declare const VoiceList: {
  readonly TBank?: { readonly ru_RU_Anna: Voice };
  readonly Yandex?: { readonly Neural: { readonly ru_RU_alena: Voice } };
  readonly YandexV3?: { readonly ru_RU_alena: Voice };
  readonly SaluteSpeech?: { readonly ru_RU_natalia: Voice };
  readonly Microsoft?: { readonly Neural: { readonly ru_RU_SvetlanaNeural: Voice; readonly ru_RU_DmitryNeural: Voice; readonly ru_RU_DariyaNeural: Voice } };
  readonly Amazon?: { readonly ru_RU_Tatyana: Voice; readonly ru_RU_Maxim: Voice };
  readonly Google?: { readonly [voice: string]: Voice | undefined };
  readonly Default?: { readonly [voice: string]: Voice | undefined };
};

declare const ASRProfileList: {
  readonly Yandex?: { readonly ru_RU: ASRProfile };
  readonly YandexV3?: { readonly ru_RU: ASRProfile };
  readonly TBank?: { readonly ru_RU: ASRProfile };
  readonly SaluteSpeech?: { readonly ru_RU: ASRProfile };
  readonly Deepgram?: { readonly ru: ASRProfile };
  readonly Google?: { readonly [language: string]: ASRProfile | undefined };
  readonly Microsoft?: { readonly [language: string]: ASRProfile | undefined };
};

declare enum ASREvents {
  Started = 'ASR.Started',
  CaptureStarted = 'ASR.CaptureStarted',
  SpeechCaptured = 'ASR.SpeechCaptured',
  InterimResult = 'ASR.InterimResult',
  Result = 'ASR.Result',
  ASRError = 'ASR.Error',
  Stopped = 'ASR.Stopped',
}

interface ASREvent extends VoxEvent {
  readonly asr: ASR;
}

interface ASREventMap {
  [ASREvents.Started]: ASREvent;
  [ASREvents.CaptureStarted]: ASREvent;
  [ASREvents.SpeechCaptured]: ASREvent;
  [ASREvents.InterimResult]: ASREvent & { readonly text: string };
  /** The confidence is 0 to 1 or 0 to 100, by provider. */
  [ASREvents.Result]: ASREvent & {
    readonly text: string; readonly confidence: number; readonly languageCode?: string; readonly channelTag?: string;
    readonly resultEndTime?: number;
  };
  [ASREvents.ASRError]: ASREvent & { readonly error: string };
  [ASREvents.Stopped]: ASREvent & { readonly cost: number; readonly duration: number };
}

interface ASR extends VoxUnit, Telling<ASREventMap> {
  stop(): void;
}

// Requests.

interface NetResult {
  /** HTTP status, or 0 and below: the platform's own trouble (-7: timeout). */
  readonly code: number;
  readonly text?: string;
  readonly data?: number[];
  readonly headers?: { key: string; value: string }[];
  readonly raw_headers?: string;
  readonly error?: string;
}

interface NetOptions {
  method?: string;
  postData?: string | number[];
  headers?: Record<string, string> | string[];
  params?: Record<string, string>;
  rawOutput?: boolean;
  /** Seconds, at most 90. */
  timeout?: number;
  /** Seconds, at most 6. */
  connectionTimeout?: number;
  enableSystemLog?: boolean;
}

declare namespace Net {
  function httpRequest(url: string, callback: (result: NetResult) => void, options?: NetOptions): void;
  function httpRequestAsync(url: string, options?: NetOptions): Promise<NetResult>;
}

declare enum WebSocketEvents {
  CREATED = 'WebSocket.Created',
  OPEN = 'WebSocket.Open',
  MESSAGE = 'WebSocket.Message',
  CLOSE = 'WebSocket.Close',
  ERROR = 'WebSocket.Error',
  MEDIA_STARTED = 'WebSocket.MediaStarted',
  MEDIA_ENDED = 'WebSocket.MediaEnded',
}

declare enum WebSocketAudioEncoding {
  PCM16_8KHZ = 'PCM8',
  PCM16_16KHZ = 'PCM16',
  ALAW = 'ALAW',
  ULAW = 'ULAW',
  OPUS = 'OPUS',
}

interface SocketEvent extends VoxEvent {
  readonly websocket: VoxSocket;
}

interface SocketEventMap {
  [WebSocketEvents.CREATED]: SocketEvent;
  [WebSocketEvents.OPEN]: SocketEvent;
  [WebSocketEvents.MESSAGE]: SocketEvent & { readonly text: string };
  [WebSocketEvents.CLOSE]: SocketEvent & { readonly code: number; readonly reason: string; readonly wasClean: boolean };
  [WebSocketEvents.ERROR]: SocketEvent & { readonly reason?: string };
  [WebSocketEvents.MEDIA_STARTED]: SocketEvent & { readonly encoding: string; readonly tag?: string; readonly customParameters?: object };
  [WebSocketEvents.MEDIA_ENDED]: SocketEvent & { readonly tag?: string; readonly mediaInfo?: object };
}

/** The platform's WebSocket, made by `VoxEngine.createWebSocket`; there is no constructor. */
interface VoxSocket extends VoxSource, Telling<SocketEventMap> {
  readonly readyState: 'open' | 'connecting' | 'closing' | 'closed';
  send(text: string): void;
  close(): void;
  clearMediaBuffer(parameters?: { tag?: string }): void;
}

// Helpers.

declare namespace Logger {
  /** At most 15 000 characters. */
  function write(message: string): void;
  function hideTones(on: boolean): void;
}

declare namespace Crypto {
  function md5(data: string | number[]): string;
  function sha1(data: string | number[]): string;
  function sha256(data: string | number[]): string;
  function hmac_sha256(key: string | number[], data: string | number[]): string;
}

declare function setTimeout(run: () => void, ms: number): number;
declare function clearTimeout(timer: number): void;
/** Every 100 ms at the shortest. */
declare function setInterval(run: () => void, ms: number): number;
declare function clearInterval(timer: number): void;
declare function uuidgen(): string;
declare function trace(message: string): void;
declare function base64_encode(data: string | number[]): string;
declare function base64_decode(text: string): number[];
declare function str2bytes(text: string, encoding?: string): number[];
declare function bytes2str(bytes: number[], encoding?: string): string;
declare function bytes2hex(bytes: number[]): string;
declare function hex2bytes(hex: string): number[];
declare function getLocalTime(timezone: string, date?: Date): Date;
declare function levenshtein_distance(a: string, b: string): number;
