// The part of the platform's scenario API that these scenarios use, declared by this project for its
// own type check. Names and shapes are the platform's; what is not declared here, we do not use.
// No DOM, no Node: a scenario that reaches for `fetch` or `console` fails the check as it would fail there.

interface VoxEvent {
  readonly name: string;
}

interface VoxUnit {
  id(): string;
  addEventListener(event: string, listener: (event: any) => void): void;
  removeEventListener(event: string, listener?: (event: any) => void): void;
}

interface VoxSource extends VoxUnit {
  sendMediaTo(unit: VoxUnit, parameters?: object): void;
  stopMediaTo(unit: VoxUnit): void;
}

interface Call extends VoxSource {
  number(): string;
  callerid(): string;
  state(): string;
  incoming(): boolean;
  answer(headers?: Record<string, string>): void;
  hangup(headers?: Record<string, string>): void;
  say(text: string, parameters?: { voice?: Voice; progressivePlayback?: boolean; ttsOptions?: object; request?: object }): void;
  stopPlayback(): void;
  record(parameters?: { stereo?: boolean; hd_audio?: boolean; lossless?: boolean; expire?: number; secure?: boolean }): void;
  handleTones(on: boolean): void;
}

interface Player extends VoxSource {
  stop(): void;
  pause(): void;
  resume(): void;
}

interface Voice {
  readonly voice: unique symbol;
}

interface ASR extends VoxUnit {
  stop(): void;
}

interface NetResult {
  readonly code: number;
  readonly text?: string;
  readonly data?: number[];
  readonly headers?: { key: string; value: string }[];
  readonly error?: string;
}

interface NetOptions {
  method?: string;
  postData?: string | number[];
  headers?: Record<string, string> | string[];
  params?: Record<string, string>;
  rawOutput?: boolean;
  timeout?: number;
  connectionTimeout?: number;
  enableSystemLog?: boolean;
}

declare namespace Net {
  function httpRequest(url: string, callback: (result: NetResult) => void, options?: NetOptions): void;
  function httpRequestAsync(url: string, options?: NetOptions): Promise<NetResult>;
}

interface StartedEvent extends VoxEvent {
  readonly accessURL: string;
  readonly accessSecureURL: string;
  readonly accountId: number;
  readonly applicationId: number;
  readonly logURL: string;
  readonly sessionId: number | string;
}

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
}

declare namespace VoxEngine {
  function addEventListener(event: typeof AppEvents.Started, listener: (event: StartedEvent) => void): void;
  function addEventListener(event: typeof AppEvents.HttpRequest, listener: (event: HttpRequestEvent) => unknown): void;
  function addEventListener(event: typeof AppEvents.CallAlerting, listener: (event: CallAlertingEvent) => void): void;
  function addEventListener(event: typeof AppEvents.Terminating, listener: (event: VoxEvent) => void): void;
  function callPSTN(number: string, callerid: string, parameters?: { amd?: AMD.AnsweringMachineDetector; followDiversion?: boolean }): Call;
  function callSIP(to: string, parameters?: { callerid?: string; amd?: AMD.AnsweringMachineDetector }): Call;
  function customData(value?: string): string;
  function getSecretValue(name: string): string | undefined;
  function createTTSPlayer(text: string, parameters?: { voice?: Voice; progressivePlayback?: boolean; ttsOptions?: object; onPause?: boolean }): Player;
  function createASR(parameters: { profile: ASRProfile; interimResults?: boolean; singleUtterance?: boolean; phraseHints?: string[] }): ASR;
  function sendMediaBetween(a: VoxSource, b: VoxSource): void;
  function terminate(): void;
}

declare namespace AppEvents {
  const Started: 'app.Started';
  const HttpRequest: 'app.HttpRequest';
  const CallAlerting: 'app.CallAlerting';
  const Terminating: 'app.Terminating';
  const Terminated: 'app.Terminated';
}

declare namespace CallEvents {
  const Ringing: string;
  const AudioStarted: string;
  const Connected: string;
  const Disconnected: string;
  const Failed: string;
  const PlaybackStarted: string;
  const PlaybackFinished: string;
  const ToneReceived: string;
  const RecordStarted: string;
}

declare namespace PlayerEvents {
  const Started: string;
  const PlaybackFinished: string;
}

interface ASRProfile {
  readonly profile: unique symbol;
}
declare const ASRProfileList: Record<string, Record<string, ASRProfile | undefined> | undefined>;
declare const VoiceList: Record<string, any>;

declare namespace ASREvents {
  const CaptureStarted: string;
  const SpeechCaptured: string;
  const InterimResult: string;
  const Result: string;
  const ASRError: string;
  const Stopped: string;
}

declare const Modules: {
  readonly ASR: string;
  readonly OpenAI: string;
  readonly Silero?: string;
  readonly AMD?: string;
  readonly Player?: string;
};
declare function require(module: string | undefined): void;

declare namespace AMD {
  interface AnsweringMachineDetector extends VoxUnit {}
  const Model: Record<string, string>;
  const Events: { readonly DetectionComplete: string; readonly DetectionError: string };
  function create(parameters: { model: string | undefined; timeout?: number; call?: Call }): AnsweringMachineDetector;
}

declare namespace Silero {
  interface VAD extends VoxUnit {
    close(): void;
    reset(): void;
  }
  /** Positions are seconds of the media that the detector has received. */
  interface ResultEvent extends VoxEvent {
    readonly speechStartAt?: number;
    readonly speechEndAt?: number;
  }
  const VADEvents: { readonly Result: string; readonly Error: string };
  function createVAD(parameters: { threshold?: number; minSilenceDurationMs?: number; speechPadMs?: number }): Promise<VAD>;
}

declare namespace OpenAI {
  interface RealtimeAPIClient extends VoxSource {
    close(): void;
    clearMediaBuffer(parameters?: { tag?: string }): void;
    sessionUpdate(parameters: { session: object }): void;
    conversationItemCreate(parameters: { item: object; previous_item_id?: string }): void;
    responseCreate(parameters: { response?: object }): void;
    responseCancel(parameters: { response_id?: string }): void;
  }
  /** The events carry OpenAI's own JSON in `data.payload`. */
  interface RealtimeEvent extends VoxEvent {
    readonly client: RealtimeAPIClient;
    readonly data: { readonly payload: any; readonly customEvent?: string };
  }
  const RealtimeAPIClientType: { readonly REALTIME: string; readonly TRANSCRIPTION: string };
  const RealtimeAPIEvents: {
    readonly Error: string;
    readonly SessionCreated: string;
    readonly SessionUpdated: string;
    readonly ConversationItemInputAudioTranscriptionCompleted: string;
    readonly InputAudioBufferSpeechStarted: string;
    readonly InputAudioBufferSpeechStopped: string;
    readonly ResponseCreated: string;
    readonly ResponseDone: string;
    readonly ResponseOutputAudioTranscriptDelta: string;
    readonly ResponseOutputAudioTranscriptDone: string;
    readonly ResponseFunctionCallArgumentsDone: string;
    readonly WebSocketError: string;
  };
  const Events: { readonly WebSocketMediaStarted: string; readonly WebSocketMediaEnded: string };
  function createRealtimeAPIClient(parameters: {
    apiKey: string;
    model?: string;
    baseUrl?: string;
    type?: string;
    privacy?: boolean;
    onWebSocketClose?: (event: any) => void;
  }): Promise<RealtimeAPIClient>;
}

declare namespace Logger {
  function write(message: string): void;
  function hideTones(on: boolean): void;
}

declare function setTimeout(run: () => void, ms: number): number;
declare function clearTimeout(timer: number): void;
declare function setInterval(run: () => void, ms: number): number;
declare function clearInterval(timer: number): void;
