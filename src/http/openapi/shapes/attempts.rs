//! Attempts: where one stands, and everything that happened to it.

use crate::domain::{AttemptId, CampaignId, ContactId, Mode, Outcome, RunId, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An attempt in a campaign's list.
#[derive(ToSchema)]
pub struct AttemptRow {
    id: AttemptId,
    run: RunId,
    contact: ContactId,
    #[schema(example = "+79990000001")]
    number: String,
    r#try: i64,
    mode: Mode,
    /// `planned`, `dialing`, `live`, `ended`.
    state: String,
    outcome: Option<Outcome>,
    evidence: Option<String>,
    session_id: Option<i64>,
    dialed_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    callback_at: Option<Timestamp>,
    code: Option<i64>,
    goal: Option<bool>,
    answer_ms: Option<i64>,
    first_audio_ms: Option<i64>,
    talk_ms: Option<i64>,
    turns: i64,
    turns_answered: i64,
}

#[derive(ToSchema)]
pub struct Attempts {
    items: Vec<AttemptRow>,
    /// To be given as `after`; null at the end.
    next: Option<AttemptId>,
}

/// What a session told of the call, in session milliseconds.
#[derive(ToSchema)]
pub struct Call {
    /// `event`, or `history`.
    source: String,
    code: Option<i64>,
    reason: Option<String>,
    /// `callee`, `agent`, `limit`, `fault`.
    hung_up_by: Option<String>,
    goal: Option<bool>,
    answers: Option<Value>,
    /// What of ours broke after the answer.
    fault: Option<String>,
    machine: bool,
    answer_ms: Option<i64>,
    ring_ms: Option<i64>,
    first_audio_ms: Option<i64>,
    /// How it was measured: `recording`, `vad`, `event_corrected`, `event`.
    first_audio_method: Option<String>,
    talk_ms: Option<i64>,
    cost_micros: Option<i64>,
}

/// What the provider's history tells of the session, as it bills.
#[derive(ToSchema)]
pub struct History {
    finish_reason: Option<String>,
    session_s: Option<i64>,
    talk_s: Option<i64>,
    code: Option<i64>,
    reason: Option<String>,
    cost_micros: Option<i64>,
    /// By kind.
    costs_micros: Option<BTreeMap<String, i64>>,
    fetched_at: Timestamp,
    /// How many there are: `…/recording?n=1`.
    recordings: i64,
    /// There is a log: `…/log`.
    log: bool,
}

/// One happening. What else it holds depends on `what`.
#[derive(ToSchema)]
pub struct Happened {
    /// The same however often the timeline is told.
    id: String,
    /// `planned`, `starting`, `refused`, `unclear`, `granted`, `ringing`, `connected`, `machine`, `opt_out`,
    /// `not_dialled`, `turn`, `held`, `ended`.
    what: String,
    /// By our clock (RFC 3339).
    at: Option<String>,
    /// By the session's clock.
    at_ms: Option<i64>,
    /// Of `planned`.
    mode: Option<Mode>,
    /// Of `granted`.
    session_id: Option<i64>,
    /// Of `granted`: the fingerprint of what was told.
    told: Option<String>,
    /// Of `machine`: `HUMAN`, `VOICEMAIL`, `TIMEOUT`, `CALL_ENDED`.
    result: Option<String>,
    /// Of `opt_out`.
    text: Option<String>,
    /// Of `not_dialled`, `held` and `ended`.
    reason: Option<String>,
    /// Of `turn`, and what belongs to it.
    turn: Option<i64>,
    callee_text: Option<String>,
    agent_text: Option<String>,
    turn_ms: Option<i64>,
    method: Option<String>,
    interrupted: Option<bool>,
    /// What our dialogue answered in that turn.
    replies: Option<Vec<Talked>>,
    /// Of `held`: what holds it, and until when (RFC 3339).
    gate: Option<String>,
    until: Option<String>,
    /// Of `ended`, and what belongs to it.
    outcome: Option<Outcome>,
    fault: Option<String>,
    evidence: Option<String>,
    code: Option<i64>,
    hung_up_by: Option<String>,
    goal: Option<bool>,
    answers: Option<Value>,
    talk_ms: Option<i64>,
    broke: Option<String>,
}

/// An event as its session sent it.
#[derive(ToSchema)]
pub struct EventRow {
    session_id: i64,
    seq: i64,
    event: String,
    at_ms: Option<i64>,
    received_at: Timestamp,
    body: Value,
}

/// One turn, by the session's clock.
#[derive(ToSchema)]
pub struct Turn {
    turn: i64,
    callee_text: Option<String>,
    agent_text: Option<String>,
    callee_end_ms: Option<i64>,
    agent_start_ms: Option<i64>,
    /// End of the callee's speech to the first audio of the reply; null: it never came.
    turn_ms: Option<i64>,
    method: String,
    asr_ms: Option<i64>,
    reply_ms: Option<i64>,
    model_ms: Option<i64>,
    tts_ms: Option<i64>,
    filler: bool,
    /// Behind a filler: until the reply itself was heard.
    content_ms: Option<i64>,
    interrupted: bool,
}

#[derive(ToSchema)]
pub struct TokensOfTurn {
    r#in: Option<i64>,
    cached: Option<i64>,
    out: Option<i64>,
}

/// A tool that a model called, and what became of it.
#[derive(ToSchema)]
pub struct ToolCall {
    name: String,
    arguments: String,
    result: String,
}

/// One turn of our own dialogue: what was heard, what was said, by whom.
#[derive(ToSchema)]
pub struct Talked {
    turn: i64,
    /// RFC 3339.
    at: String,
    heard: Option<String>,
    said: Option<String>,
    end_session: Option<bool>,
    /// A model, or `rules`.
    replier: String,
    requests: i64,
    first_ms: Option<i64>,
    model_ms: Option<i64>,
    tokens: Option<TokensOfTurn>,
    cost_micros: Option<i64>,
    tools: Option<Vec<ToolCall>>,
    trouble: Option<String>,
    fault: Option<String>,
}

/// What a stream of audio carried.
#[derive(ToSchema)]
pub struct Stream {
    /// RFC 3339.
    opened_at: String,
    lasted_ms: i64,
    model: String,
    /// `ULAW` and its like; `platform` where the platform carried the audio itself.
    encoding: String,
    /// `call` where the call was over; `open` while it goes on, and for ever where its server died.
    ended_by: String,
    reason: String,
    #[schema(value_type = Object)]
    tally: Value,
    tools: Value,
    cost_micros: Option<i64>,
}

#[derive(ToSchema)]
pub struct Attempt {
    id: AttemptId,
    /// `campaign` or `single`.
    kind: String,
    run: RunId,
    campaign: CampaignId,
    contact: ContactId,
    /// Masked.
    number: String,
    mode: Mode,
    r#try: i64,
    /// `planned`, `dialing`, `live`, `ended`.
    state: String,
    outcome: Option<Outcome>,
    /// Whom the outcome speaks about: `contact`, `carrier`, `provider`, `us`, `unknown`.
    fault: Option<String>,
    /// Who told of the end: `event`, `history` …
    evidence: Option<String>,
    planned_at: Timestamp,
    slot_at: Timestamp,
    dialed_at: Option<Timestamp>,
    /// Its line is held until then.
    held_until: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    callback_at: Option<Timestamp>,
    session_id: Option<i64>,
    /// The fingerprint of what the session was told.
    told: Option<String>,
    caller_id: Option<String>,
    run_state: String,
    run_reason: Option<String>,
    /// Null until somebody has told of it.
    call: Option<Call>,
    history: Option<History>,
    timeline: Vec<Happened>,
    events: Vec<EventRow>,
    turns: Vec<Turn>,
    dialogue: Vec<Talked>,
    /// Why the goal is reached or not: of our dialogue, or of the model that judged by itself.
    verdict: Option<Value>,
    streams: Vec<Stream>,
}

#[derive(ToSchema)]
pub struct AttemptHungUp {
    attempt: AttemptId,
    /// The session's server took the word.
    delivered: bool,
}

#[derive(ToSchema)]
pub struct ToldAttempt {
    mode: Mode,
    /// `backend`, `relay`, `own` or `greeting`.
    manner: String,
    language: String,
    voice: Option<String>,
    first_phrase: String,
    instructions: String,
    tools: Vec<Value>,
    replier: Option<String>,
    /// All that a replying model is told before the talk but for the callee's clock; null where no model replies.
    replier_instructions: Option<String>,
    /// The model that speaks; null where the platform does.
    model: Option<String>,
    /// As the grant stored it; null before the grant.
    fingerprint: Option<String>,
    attempt: AttemptId,
    /// What is shown here is what was told then; null before the grant.
    same: Option<bool>,
    /// Where it is not the same: what this mode was told in that run, kept as it was.
    kept: Option<KeptBundle>,
}

/// What played a mode, as it was written down at its first grant in a run.
#[derive(ToSchema)]
pub struct KeptBundle {
    /// Language, voice, first phrase, instructions, tools: `[name]` stands where a contact's value stood.
    #[schema(value_type = Object)]
    told: Value,
    manner: String,
    replier: Option<String>,
    realtime: Option<String>,
    replier_instructions: Option<String>,
    /// Where the speaking model is, when it is not OpenAI.
    openai_host: Option<String>,
    record: bool,
    record_notice: Option<String>,
    /// What is done about a machine: `off`, `mark`, `hang_up`, `message`.
    amd: String,
    /// SHA-256 of the scenario's file.
    scenario: Option<String>,
    vad_threshold: f64,
    vad_min_silence_ms: u32,
}

/// Why a contact is not being called right now, and when it will be.
#[derive(ToSchema)]
pub struct Why {
    contact: ContactId,
    campaign: CampaignId,
    run: Option<RunId>,
    /// A gate, or `no_run`, `calling`, `at_rest`, `stops`, `nobody_dials`, `lines`, `queue`.
    gate: String,
    /// In a sentence.
    why: String,
    since: Option<Timestamp>,
    /// Null: no moment can be named.
    opens_at: Option<Timestamp>,
    /// The moment is an estimate.
    about: bool,
    /// From 1, while nothing but pace and lines holds it.
    place: Option<i64>,
    timezone: String,
    outcome: Option<Outcome>,
    /// The whole answer for a person.
    line: String,
}
