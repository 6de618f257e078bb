// The part of the platform's scenario API that `require(Modules.X)` brings: machine detection, voice
// detectors, storage, OpenAI's realtime client. Read together with voxengine.d.ts.

// Modules.

declare const Modules: {
  readonly ASR: string;
  readonly OpenAI: string;
  readonly Recorder: string;
  readonly ApplicationStorage: string;
  readonly Silero?: string;
  readonly Pipecat?: string;
  readonly AMD?: string;
  readonly AI?: string;
  readonly CallList?: string;
  readonly Player?: string;
};
declare function require(module: string | undefined): void;

declare namespace AMD {
  interface Result extends VoxEvent {
    readonly amd: AnsweringMachineDetector;
    readonly call: Call;
    readonly callId: string;
    readonly resultClass: keyof typeof ResultClass;
    readonly resultSubtype: keyof typeof ResultSubtype;
    /** 0 to 100. */
    readonly confidence: number;
  }
  enum Events {
    DetectionComplete = 'AMD.DetectionComplete',
    DetectionError = 'AMD.DetectionError',
  }
  interface EventMap {
    [Events.DetectionComplete]: Result;
    [Events.DetectionError]: VoxEvent & { readonly message: string };
  }
  interface AnsweringMachineDetector extends VoxUnit, Telling<EventMap> {
    detect(): Promise<Result>;
  }
  const ResultClass: { readonly HUMAN: string; readonly VOICEMAIL: string; readonly TIMEOUT: string; readonly CALL_ENDED: string };
  const ResultSubtype: { readonly MIMIC: string; readonly NONE: string };
  const Model: {
    readonly BR: string; readonly CL: string; readonly CO: string; readonly KZ: string; readonly MX: string; readonly RU: string;
    readonly PH: string; readonly PE: string; readonly US: string; readonly EU_GENERAL: string; readonly ES: string;
  };
  /** With `call` to be asked later by `detect`; without, to be handed to `callPSTN`. Milliseconds from Connected. */
  function create(parameters: {
    model: string; timeout?: number; call?: Call; thresholds?: { human?: number; voicemail?: number; mimic?: number };
  }): AnsweringMachineDetector;
}

declare namespace Silero {
  /** Positions are seconds of the media that the detector has received. */
  interface ResultEvent extends VoxEvent {
    readonly speechStartAt?: number;
    readonly speechEndAt?: number;
  }
  enum VADEvents {
    Result = 'Silero.VAD.Result',
    Error = 'Silero.VAD.Error',
    Reset = 'Silero.VAD.Reset',
    ConnectorInformation = 'Silero.VAD.ConnectorInformation',
  }
  interface EventMap {
    [VADEvents.Result]: ResultEvent;
    [VADEvents.Error]: VoxEvent;
    [VADEvents.Reset]: VoxEvent;
    [VADEvents.ConnectorInformation]: VoxEvent;
  }
  interface VAD extends VoxUnit, Telling<EventMap> {
    close(): void;
    reset(): void;
  }
  function createVAD(parameters: { threshold?: number; minSilenceDurationMs?: number; speechPadMs?: number }): Promise<VAD>;
}

declare namespace Pipecat {
  enum TurnEvents {
    Result = 'Pipecat.Turn.Result',
    Error = 'Pipecat.Turn.Error',
    ConnectorInformation = 'Pipecat.Turn.ConnectorInformation',
  }
  interface EventMap {
    [TurnEvents.Result]: VoxEvent & { readonly endOfTurn: boolean; readonly probability: number };
    [TurnEvents.Error]: VoxEvent;
    [TurnEvents.ConnectorInformation]: VoxEvent;
  }
  interface TurnDetector extends VoxUnit, Telling<EventMap> {
    predict(): void;
    close(): void;
  }
  function createTurnDetector(parameters: { threshold?: number; preSpeechMs?: number; maxDurationSecs?: number }): Promise<TurnDetector>;
}

declare namespace ApplicationStorage {
  function put(key: string, value: string, ttlSeconds: number): Promise<object>;
  function get(key: string): Promise<{ readonly value: string } | null>;
  function remove(key: string): Promise<void>;
}

declare namespace OpenAI {
  enum RealtimeAPIClientType { REALTIME = 'realtime', TRANSCRIPTION = 'transcription' }
  enum RealtimeAPIEvents {
    Unknown = 'OpenAI.RealtimeAPI.Unknown',
    HTTPResponse = 'OpenAI.RealtimeAPI.HTTPResponse',
    Error = 'OpenAI.RealtimeAPI.Error',
    SessionCreated = 'OpenAI.RealtimeAPI.SessionCreated',
    SessionUpdated = 'OpenAI.RealtimeAPI.SessionUpdated',
    ConversationItemAdded = 'OpenAI.RealtimeAPI.ConversationItemAdded',
    ConversationItemDone = 'OpenAI.RealtimeAPI.ConversationItemDone',
    ConversationItemRetrieved = 'OpenAI.RealtimeAPI.ConversationItemRetrieved',
    ConversationItemTruncated = 'OpenAI.RealtimeAPI.ConversationItemTruncated',
    ConversationItemDeleted = 'OpenAI.RealtimeAPI.ConversationItemDeleted',
    ConversationItemInputAudioTranscriptionCompleted = 'OpenAI.RealtimeAPI.ConversationItemInputAudioTranscriptionCompleted',
    ConversationItemInputAudioTranscriptionDelta = 'OpenAI.RealtimeAPI.ConversationItemInputAudioTranscriptionDelta',
    ConversationItemInputAudioTranscriptionSegment = 'OpenAI.RealtimeAPI.ConversationItemInputAudioTranscriptionSegment',
    ConversationItemInputAudioTranscriptionFailed = 'OpenAI.RealtimeAPI.ConversationItemInputAudioTranscriptionFailed',
    InputAudioBufferCommitted = 'OpenAI.RealtimeAPI.InputAudioBufferCommitted',
    InputAudioBufferCleared = 'OpenAI.RealtimeAPI.InputAudioBufferCleared',
    InputAudioBufferSpeechStarted = 'OpenAI.RealtimeAPI.InputAudioBufferSpeechStarted',
    InputAudioBufferSpeechStopped = 'OpenAI.RealtimeAPI.InputAudioBufferSpeechStopped',
    InputAudioBufferTimeoutTriggered = 'OpenAI.RealtimeAPI.InputAudioBufferTimeoutTriggered',
    ResponseCreated = 'OpenAI.RealtimeAPI.ResponseCreated',
    ResponseDone = 'OpenAI.RealtimeAPI.ResponseDone',
    ResponseOutputItemAdded = 'OpenAI.RealtimeAPI.ResponseOutputItemAdded',
    ResponseOutputItemDone = 'OpenAI.RealtimeAPI.ResponseOutputItemDone',
    ResponseContentPartAdded = 'OpenAI.RealtimeAPI.ResponseContentPartAdded',
    ResponseContentPartDone = 'OpenAI.RealtimeAPI.ResponseContentPartDone',
    ResponseOutputTextDelta = 'OpenAI.RealtimeAPI.ResponseOutputTextDelta',
    ResponseOutputTextDone = 'OpenAI.RealtimeAPI.ResponseOutputTextDone',
    ResponseOutputAudioTranscriptDelta = 'OpenAI.RealtimeAPI.ResponseOutputAudioTranscriptDelta',
    ResponseOutputAudioTranscriptDone = 'OpenAI.RealtimeAPI.ResponseOutputAudioTranscriptDone',
    ResponseOutputAudioDone = 'OpenAI.RealtimeAPI.ResponseOutputAudioDone',
    ResponseFunctionCallArgumentsDelta = 'OpenAI.RealtimeAPI.ResponseFunctionCallArgumentsDelta',
    ResponseFunctionCallArgumentsDone = 'OpenAI.RealtimeAPI.ResponseFunctionCallArgumentsDone',
    RateLimitsUpdated = 'OpenAI.RealtimeAPI.RateLimitsUpdated',
    WebSocketError = 'OpenAI.RealtimeAPI.WebSocketError',
    ConnectorInformation = 'OpenAI.RealtimeAPI.ConnectorInformation',
  }
  enum Events {
    WebSocketMediaStarted = 'OpenAI.Events.WebSocketMediaStarted',
    WebSocketMediaEnded = 'OpenAI.Events.WebSocketMediaEnded',
  }
  /** OpenAI's own JSON is in `data.payload`. */
  interface RealtimeEvent extends VoxEvent {
    readonly client: RealtimeAPIClient;
    readonly data: { readonly payload: any; readonly customEvent?: string };
  }
  type RealtimeEventMap = Record<RealtimeAPIEvents, RealtimeEvent> & Record<Events, VoxEvent & { readonly client: RealtimeAPIClient }>;
  interface RealtimeAPIClient extends VoxSource, Telling<RealtimeEventMap> {
    webSocketId(): string;
    close(): void;
    clearMediaBuffer(parameters?: { tag?: string }): void;
    sessionUpdate(parameters: { session: object; event_id?: string }): void;
    inputAudioBufferClear(parameters: { event_id?: string }): void;
    inputAudioBufferCommit(parameters: { event_id?: string }): void;
    conversationItemCreate(parameters: { item: object; previous_item_id?: string; event_id?: string }): void;
    conversationItemRetrieve(parameters: { item_id: string }): void;
    conversationItemTruncate(parameters: { item_id: string; content_index: number; audio_end_ms: number }): void;
    conversationItemDelete(parameters: { item_id: string }): void;
    responseCreate(parameters: { response?: object; event_id?: string }): void;
    responseCancel(parameters: { response_id?: string }): void;
  }
  function createRealtimeAPIClient(parameters: {
    apiKey: string;
    model?: string;
    baseUrl?: string;
    type?: RealtimeAPIClientType;
    statistics?: boolean;
    trace?: boolean;
    privacy?: boolean;
    onWebSocketClose?: (event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }) => void;
  }): Promise<RealtimeAPIClient>;
}
