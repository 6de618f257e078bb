//! What is said to a realtime model, and what it says: OpenAI's Realtime events as JSON.

use super::encoding::Encoding;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A model sends about a second of audio at a time; nobody sends this much.
pub const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Texts of the model that are passed on; a transcript is a few sentences.
const TEXT_CHARS_MAX: usize = 8_000;

/// What a session of the model is told, and how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub instructions: String,
    /// Function tools as the realtime interface declares them.
    pub tools: Value,
    /// What is said at once, as the script has it; empty: the model opens on its own.
    pub first_phrase: String,
    pub voice: String,
    /// Two letters; `None`: the model finds out.
    pub language: Option<String>,
    /// How the platform's audio is asked for, and how ours is sent.
    pub encoding: Encoding,
}

/// How long the other side is silent before the model takes its turn, in milliseconds. The same in all modes.
pub const TURN_SILENCE_MS: u64 = 500;

fn format(encoding: Encoding) -> Value {
    match encoding {
        Encoding::Ulaw => json!({ "type": "audio/pcmu" }),
        Encoding::Alaw => json!({ "type": "audio/pcma" }),
        other => json!({ "type": "audio/pcm", "rate": other.rate() }),
    }
}

/// The session's settings, the same as those of the modes in which the platform speaks to the model, and the
/// form of the audio besides.
pub fn session(plan: &Plan) -> Value {
    let mut transcription = json!({ "model": "gpt-4o-transcribe" });
    if let Some(language) = &plan.language {
        transcription["language"] = json!(language);
    }
    let format = format(plan.encoding.of_model());
    json!({ "type": "session.update", "session": {
        "type": "realtime", "instructions": plan.instructions, "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": format, "transcription": transcription, "noise_reduction": { "type": "near_field" },
                "turn_detection": {
                    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300,
                    "silence_duration_ms": TURN_SILENCE_MS, "create_response": true, "interrupt_response": true,
                },
            },
            "output": { "format": format, "voice": plan.voice },
        },
        "tools": plan.tools, "tool_choice": "auto",
    }})
}

pub fn append(audio: &[u8]) -> Value {
    json!({ "type": "input_audio_buffer.append", "audio": STANDARD.encode(audio) })
}

pub fn respond() -> Value {
    json!({ "type": "response.create" })
}

/// A response that may only speak.
pub fn respond_in_words() -> Value {
    json!({ "type": "response.create", "response": { "tool_choice": "none" } })
}

pub fn say(text: &str) -> Value {
    let exactly = format!("Say exactly: «{text}»");
    json!({ "type": "response.create", "response": { "instructions": exactly, "tool_choice": "none" } })
}

pub fn tool_output(call: &str, output: &Value) -> Value {
    let item = json!({ "type": "function_call_output", "call_id": call, "output": output.to_string() });
    json!({ "type": "conversation.item.create", "item": item })
}

/// Of an item's audio only so much was heard.
pub fn truncate(item: &str, heard_ms: u64) -> Value {
    json!({ "type": "conversation.item.truncate", "item_id": item, "content_index": 0, "audio_end_ms": heard_ms })
}

/// What the model says, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    /// What the callee said.
    Heard(String),
    ResponseCreated {
        response: String,
    },
    Audio {
        response: String,
        item: String,
        audio: Vec<u8>,
    },
    AudioDone {
        response: String,
    },
    /// What the model said, whole.
    Spoke {
        response: String,
        text: String,
    },
    Tool {
        call: String,
        name: String,
        arguments: Value,
    },
    ResponseDone {
        failed: Option<String>,
        tokens: Tokens,
    },
    Error {
        kind: String,
        code: String,
        message: String,
    },
    Other,
}

/// What a conversation has cost, in the model's own unit. What was read from its cache is not counted twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tokens {
    pub text_in: u64,
    pub text_cached: u64,
    pub audio_in: u64,
    pub audio_cached: u64,
    pub text_out: u64,
    pub audio_out: u64,
}

impl Tokens {
    pub fn add(&mut self, other: Tokens) {
        self.text_in = self.text_in.saturating_add(other.text_in);
        self.text_cached = self.text_cached.saturating_add(other.text_cached);
        self.audio_in = self.audio_in.saturating_add(other.audio_in);
        self.audio_cached = self.audio_cached.saturating_add(other.audio_cached);
        self.text_out = self.text_out.saturating_add(other.text_out);
        self.audio_out = self.audio_out.saturating_add(other.audio_out);
    }

    /// Of a model's `usage`. What is not told apart is taken as text where it saves money, and as audio where it costs.
    pub fn read(usage: &Value) -> Self {
        let count = |told: &Value| told.as_u64().unwrap_or(0);
        let (told, output) = (&usage["input_token_details"], &usage["output_token_details"]);
        let text = count(&told["text_tokens"]);
        let audio = told["audio_tokens"].as_u64().unwrap_or(count(&usage["input_tokens"]).saturating_sub(text));
        let cached = count(&told["cached_tokens"]);
        let apart = &told["cached_tokens_details"];
        let text_cached = apart["text_tokens"].as_u64().unwrap_or(cached).min(text);
        let audio_cached = apart["audio_tokens"].as_u64().unwrap_or(cached.saturating_sub(text_cached)).min(audio);
        let text_out = count(&output["text_tokens"]);
        let spoken = || count(&usage["output_tokens"]).saturating_sub(text_out);
        Tokens {
            text_in: text - text_cached,
            text_cached,
            audio_in: audio - audio_cached,
            audio_cached,
            text_out,
            audio_out: output["audio_tokens"].as_u64().unwrap_or_else(spoken),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WordError {
    #[error("an event of {0} bytes; {EVENT_BYTES_MAX} are the most")]
    Long(usize),
    #[error("an event that is no JSON")]
    NoJson,
    #[error("audio that is no base64")]
    Audio,
}

fn short(told: &Value) -> String {
    told.as_str().unwrap_or_default().trim().chars().take(TEXT_CHARS_MAX).collect()
}

pub fn read(text: &str) -> Result<Said, WordError> {
    if text.len() > EVENT_BYTES_MAX {
        return Err(WordError::Long(text.len()));
    }
    let told: Value = serde_json::from_str(text).map_err(|_| WordError::NoJson)?;
    let response = || short(&told["response_id"]);
    Ok(match told["type"].as_str().unwrap_or_default() {
        "session.created" => Said::SessionCreated,
        "session.updated" => Said::SessionUpdated,
        "input_audio_buffer.speech_started" => Said::SpeechStarted,
        "input_audio_buffer.speech_stopped" => Said::SpeechStopped,
        "conversation.item.input_audio_transcription.completed" => Said::Heard(short(&told["transcript"])),
        "response.created" => Said::ResponseCreated { response: short(&told["response"]["id"]) },
        "response.output_audio.delta" => {
            let audio = STANDARD.decode(told["delta"].as_str().unwrap_or_default()).map_err(|_| WordError::Audio)?;
            Said::Audio { response: response(), item: short(&told["item_id"]), audio }
        }
        "response.output_audio.done" => Said::AudioDone { response: response() },
        "response.output_audio_transcript.done" => {
            Said::Spoke { response: response(), text: short(&told["transcript"]) }
        }
        "response.function_call_arguments.done" => {
            let arguments = serde_json::from_str(told["arguments"].as_str().unwrap_or("{}")).unwrap_or(json!({}));
            Said::Tool { call: short(&told["call_id"]), name: short(&told["name"]), arguments }
        }
        "response.done" => {
            let response = &told["response"];
            let failed = (response["status"] == "failed").then(|| {
                let error = &response["status_details"]["error"];
                format!("{} {}", short(&error["type"]), short(&error["code"])).trim().to_owned()
            });
            Said::ResponseDone { failed, tokens: Tokens::read(&response["usage"]) }
        }
        "error" => {
            let error = &told["error"];
            Said::Error { kind: short(&error["type"]), code: short(&error["code"]), message: short(&error["message"]) }
        }
        _ => Said::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn plan(encoding: Encoding) -> Plan {
        Plan {
            instructions: "Be brief.".into(),
            tools: json!([{ "type": "function", "name": "end_call" }]),
            first_phrase: "Hello!".into(),
            voice: "cedar".into(),
            language: Some("en".into()),
            encoding,
        }
    }

    #[test]
    fn the_session_names_the_form_of_its_audio() {
        for (encoding, expected) in [
            (Encoding::Ulaw, json!({ "type": "audio/pcmu" })),
            (Encoding::Alaw, json!({ "type": "audio/pcma" })),
            (Encoding::Pcm8, json!({ "type": "audio/pcm", "rate": 24000 })),
            (Encoding::Pcm16, json!({ "type": "audio/pcm", "rate": 24000 })),
        ] {
            let told = session(&plan(encoding));
            assert_eq!(told["session"]["audio"]["input"]["format"], expected);
            assert_eq!(told["session"]["audio"]["output"]["format"], expected);
        }
        let mut any = plan(Encoding::Ulaw);
        any.language = None;
        assert_eq!(
            session(&any)["session"]["audio"]["input"]["transcription"],
            json!({ "model": "gpt-4o-transcribe" })
        );
    }

    #[test]
    fn events_are_read() {
        let audio = r#"{"type":"response.output_audio.delta","response_id":"r1","item_id":"i1","delta":"AAE="}"#;
        assert_eq!(read(audio), Ok(Said::Audio { response: "r1".into(), item: "i1".into(), audio: vec![0, 1] }));
        let tool = r#"{"type":"response.function_call_arguments.done","call_id":"c","name":"end_call","arguments":"{\"goal\":true}"}"#;
        let expected = Said::Tool { call: "c".into(), name: "end_call".into(), arguments: json!({ "goal": true }) };
        assert_eq!(read(tool), Ok(expected));
        let done = r#"{"type":"response.done","response":{"status":"failed","status_details":{"error":{"type":"server_error","code":"x"}},
            "usage":{"input_tokens":9,"output_tokens":4,"input_token_details":{"text_tokens":6,"cached_tokens":2,"audio_tokens":3},
            "output_token_details":{"text_tokens":3,"audio_tokens":1}}}}"#;
        let tokens = Tokens { text_in: 4, text_cached: 2, audio_in: 3, audio_cached: 0, text_out: 3, audio_out: 1 };
        assert_eq!(read(done), Ok(Said::ResponseDone { failed: Some("server_error x".into()), tokens }));
        assert_eq!(read(r#"{"type":"rate_limits.updated"}"#), Ok(Said::Other));
        assert_eq!(read("nonsense"), Err(WordError::NoJson));
        assert_eq!(read(r#"{"type":"response.output_audio.delta","delta":"*"}"#), Err(WordError::Audio));
    }

    #[test]
    fn tokens_are_counted_once_and_rather_too_dear() {
        let of = |usage: Value| {
            let Tokens { text_in, text_cached, audio_in, audio_cached, text_out, audio_out } = Tokens::read(&usage);
            [text_in, text_cached, audio_in, audio_cached, text_out, audio_out]
        };
        let told = |details: Value| {
            of(json!({ "input_tokens": 100, "output_tokens": 50, "input_token_details": details,
            "output_token_details": { "text_tokens": 10, "audio_tokens": 40 } }))
        };
        let apart = json!({ "text_tokens": 60, "audio_tokens": 40, "cached_tokens": 30,
            "cached_tokens_details": { "text_tokens": 20, "audio_tokens": 10 } });
        assert_eq!(told(apart), [40, 20, 30, 10, 10, 40]);
        let together = json!({ "text_tokens": 60, "audio_tokens": 40, "cached_tokens": 70 });
        assert_eq!(told(together), [0, 60, 30, 10, 10, 40]);
        assert_eq!(of(json!({ "input_tokens": 100, "output_tokens": 50 })), [0, 0, 100, 0, 0, 50], "as audio");
        let nonsense = json!({ "text_tokens": 1, "audio_tokens": 1, "cached_tokens": 99,
            "cached_tokens_details": { "text_tokens": 50, "audio_tokens": 49 } });
        assert_eq!(told(nonsense), [0, 1, 0, 1, 10, 40], "never less than nothing");
        assert_eq!(of(Value::Null), [0; 6]);
    }

    #[test]
    fn a_wall_of_text_is_cut() {
        let long = json!({ "type": "response.output_audio_transcript.done", "transcript": "ы".repeat(100_000) });
        let Ok(Said::Spoke { text, .. }) = read(&long.to_string()) else { panic!("a transcript") };
        assert_eq!(text.chars().count(), TEXT_CHARS_MAX);
    }
}
