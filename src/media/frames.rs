//! The frames of the platform's media streams: JSON in texts, the same in both directions.
//!
//! `event` belongs to the platform; words between our scenario and us say `customEvent` instead, and never both.

use super::encoding::Encoding;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A frame holds whole pieces of this length.
pub const PIECE_MS: u64 = 20;
/// No frame of a call is longer: the platform sends 20 ms, and a second of samples is 43 KiB.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;

/// What the other side of a call says.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    Start {
        encoding: Encoding,
        tag: String,
    },
    Media {
        /// Counts packets of a stream, so that gaps are known; an older sender may leave it out.
        chunk: Option<u64>,
        payload: Vec<u8>,
    },
    Stop,
    /// Our scenario's own words.
    Custom(Value),
    /// Something of the platform's that has no meaning here.
    Other,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    #[error("a frame of {0} bytes; {FRAME_BYTES_MAX} are the most")]
    Long(usize),
    #[error("a frame that is no JSON")]
    NoJson,
    #[error("an encoding that is not understood: {0}")]
    Encoding(String),
    #[error("a payload that is no base64")]
    Payload,
}

pub fn read(text: &str) -> Result<Frame, FrameError> {
    if text.len() > FRAME_BYTES_MAX {
        return Err(FrameError::Long(text.len()));
    }
    let told: Value = serde_json::from_str(text).map_err(|_| FrameError::NoJson)?;
    Ok(match told["event"].as_str() {
        Some("start") => {
            let format = &told["start"]["mediaFormat"];
            Frame::Start { encoding: encoding(format)?, tag: tag(&told["start"]) }
        }
        Some("media") => {
            let media = &told["media"];
            let payload = media["payload"].as_str().ok_or(FrameError::Payload)?;
            let payload = STANDARD.decode(payload).map_err(|_| FrameError::Payload)?;
            Frame::Media { chunk: media["chunk"].as_u64(), payload }
        }
        Some("stop") => Frame::Stop,
        Some(_) => Frame::Other,
        None if told["customEvent"].is_string() => Frame::Custom(told),
        None => Frame::Other,
    })
}

fn tag(told: &Value) -> String {
    told["tag"].as_str().unwrap_or_default().chars().take(64).collect()
}

/// By the enumeration's value (`ULAW`, `PCM16`), or as one of the platform's pages writes it (`audio/x-mulaw`).
fn encoding(format: &Value) -> Result<Encoding, FrameError> {
    let name = format["encoding"].as_str().unwrap_or_default();
    let rate = format["sampleRate"].as_u64();
    let found = match (name.to_ascii_lowercase().as_str(), rate) {
        ("ulaw" | "audio/x-mulaw", None | Some(8_000)) => Encoding::Ulaw,
        ("alaw" | "audio/x-alaw", None | Some(8_000)) => Encoding::Alaw,
        ("pcm8", None | Some(8_000)) | ("pcm16", Some(8_000)) => Encoding::Pcm8,
        ("pcm16", None | Some(16_000)) => Encoding::Pcm16,
        _ => return Err(FrameError::Encoding(format.to_string().chars().take(100).collect())),
    };
    Ok(found)
}

/// A stream of audio to the platform: numbers its frames, and counts the samples before each.
#[derive(Debug)]
pub struct Speaker {
    encoding: Encoding,
    sequence: u64,
    chunk: u64,
    samples: u64,
    bytes: u64,
    open: bool,
}

impl Speaker {
    pub fn new(encoding: Encoding) -> Self {
        Speaker { encoding, sequence: 0, chunk: 0, samples: 0, bytes: 0, open: false }
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    fn frame(&mut self, event: &str, told: Value) -> String {
        let frame = json!({ "event": event, "sequenceNumber": self.sequence, event: told });
        self.sequence += 1;
        frame.to_string()
    }

    /// The frame that begins a stream, unless one is open.
    pub fn start(&mut self) -> Option<String> {
        if self.open {
            return None;
        }
        self.open = true;
        (self.chunk, self.samples, self.bytes) = (0, 0, 0);
        let format = json!({ "encoding": self.encoding.as_str(), "sampleRate": self.encoding.rate() });
        // On a wire PCM at 8 kHz has a name of its own only in the scenario's interface.
        let format = match self.encoding {
            Encoding::Pcm8 => json!({ "encoding": "PCM16", "sampleRate": 8_000 }),
            _ => format,
        };
        Some(self.frame("start", json!({ "mediaFormat": format, "tag": "agent" })))
    }

    pub fn media(&mut self, payload: &[u8]) -> String {
        let told = json!({
            "chunk": self.chunk, "timestamp": self.samples, "payload": STANDARD.encode(payload), "tag": "agent",
        });
        self.chunk += 1;
        self.samples += (payload.len() / self.encoding.bytes_per_sample()) as u64;
        self.bytes += payload.len() as u64;
        self.frame("media", told)
    }

    /// The frame that ends the stream, if one is open.
    pub fn stop(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.open, false) {
            return None;
        }
        let seconds = self.samples / u64::from(self.encoding.rate());
        let info = json!({ "bytesSent": self.bytes, "duration": seconds });
        Some(self.frame("stop", json!({ "mediaInfo": info, "tag": "agent" })))
    }
}

/// A word for our scenario; `told` has no key `event`.
pub fn custom(name: &str, mut told: Value) -> String {
    told["customEvent"] = json!(name);
    told.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_the_platform_writes_them() {
        let start = r#"{"event":"start","sequenceNumber":0,"start":{"mediaFormat":{"encoding":"ULAW","sampleRate":8000},"tag":"call","customParameters":"{\"a\":\"1\"}"}}"#;
        assert_eq!(read(start), Ok(Frame::Start { encoding: Encoding::Ulaw, tag: "call".into() }));
        let media = r#"{"event":"media","sequenceNumber":1,"media":{"chunk":7,"timestamp":1120,"payload":"AP8=","tag":"call"}}"#;
        assert_eq!(read(media), Ok(Frame::Media { chunk: Some(7), payload: vec![0, 255] }));
        let stop = r#"{"event":"stop","sequenceNumber":9,"stop":{"mediaInfo":{"bytesSent":1,"duration":1}}}"#;
        assert_eq!(read(stop), Ok(Frame::Stop));
        assert_eq!(read(r#"{"event":"mark"}"#), Ok(Frame::Other));
        assert!(matches!(read(r#"{"customEvent":"begin","greeting":"Hello"}"#), Ok(Frame::Custom(_))));
        assert_eq!(read(r#"{"event":"stop","customEvent":"begin"}"#), Ok(Frame::Stop), "never both");
    }

    #[test]
    fn every_spelling_of_an_encoding() {
        let of = |name: &str, rate: Value| encoding(&json!({ "encoding": name, "sampleRate": rate }));
        assert_eq!(of("audio/x-mulaw", json!(8000)), Ok(Encoding::Ulaw));
        assert_eq!(of("ALAW", Value::Null), Ok(Encoding::Alaw));
        assert_eq!(of("PCM8", json!(8000)), Ok(Encoding::Pcm8));
        assert_eq!(of("PCM16", json!(8000)), Ok(Encoding::Pcm8));
        assert_eq!(of("PCM16", json!(16000)), Ok(Encoding::Pcm16));
        for (name, rate) in [("OPUS", json!(48000)), ("ULAW", json!(16000)), ("", Value::Null)] {
            assert!(matches!(of(name, rate), Err(FrameError::Encoding(_))), "{name}");
        }
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        assert_eq!(read("{"), Err(FrameError::NoJson));
        assert_eq!(read(r#"{"event":"media","media":{"payload":"*"}}"#), Err(FrameError::Payload));
        assert_eq!(read(r#"{"event":"media"}"#), Err(FrameError::Payload));
        let long = format!("\"{}\"", "x".repeat(FRAME_BYTES_MAX));
        assert_eq!(read(&long), Err(FrameError::Long(long.len())));
    }

    #[test]
    fn frames_are_numbered_and_samples_counted() {
        let mut speaker = Speaker::new(Encoding::Pcm16);
        let told: Vec<Value> = [
            speaker.start(),
            Some(speaker.media(&[0; 640])),
            Some(speaker.media(&[0; 1280])),
            speaker.stop(),
            speaker.stop(),
            speaker.start(),
        ]
        .into_iter()
        .flatten()
        .map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect();
        assert_eq!(told.len(), 5, "a stream that is not open does not end");
        assert_eq!(told[0]["start"]["mediaFormat"], json!({ "encoding": "PCM16", "sampleRate": 16000 }));
        assert_eq!((&told[2]["media"]["chunk"], &told[2]["media"]["timestamp"]), (&json!(1), &json!(320)));
        assert_eq!(told[3]["stop"]["mediaInfo"], json!({ "bytesSent": 1920, "duration": 0 }));
        let numbers: Vec<u64> = told.iter().filter_map(|frame| frame["sequenceNumber"].as_u64()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn own_words_never_use_the_platforms_key() {
        let told: Value = serde_json::from_str(&custom("ready", json!({ "a": 1 }))).expect("JSON");
        assert_eq!(told, json!({ "a": 1, "customEvent": "ready" }));
    }
}
