//! What waits to be sent to the model. Words are never dropped; audio of the callee that is too old is, because
//! a model that hears a call five seconds late answers five seconds late.

use serde_json::Value;
use std::collections::VecDeque;

/// The most audio that waits.
pub const BACKLOG_MS_MAX: u64 = 2_000;

#[derive(Debug, Default)]
pub struct Outbox {
    /// With the audio that each holds, in milliseconds; words hold none.
    waiting: VecDeque<(String, u64)>,
    audio_ms: u64,
    dropped_ms: u64,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn dropped_ms(&self) -> u64 {
        self.dropped_ms
    }

    pub fn words(&mut self, event: &Value) {
        self.waiting.push_back((event.to_string(), 0));
    }

    pub fn audio(&mut self, event: String, ms: u64) {
        self.waiting.push_back((event, ms));
        self.audio_ms += ms;
        while self.audio_ms > BACKLOG_MS_MAX {
            let oldest = self.waiting.iter().position(|(_, ms)| *ms > 0);
            let Some((_, ms)) = oldest.and_then(|place| self.waiting.remove(place)) else { return };
            self.audio_ms -= ms;
            self.dropped_ms += ms;
        }
    }

    pub fn pop(&mut self) -> Option<String> {
        let (event, ms) = self.waiting.pop_front()?;
        self.audio_ms -= ms;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_oldest_audio_goes_and_no_word_does() {
        let mut outbox = Outbox::default();
        outbox.words(&json!("first"));
        for nth in 0..200 {
            outbox.audio(format!("{nth}"), 20);
        }
        outbox.words(&json!("last"));
        assert_eq!(outbox.dropped_ms(), 200 * 20 - BACKLOG_MS_MAX);
        let left: Vec<String> = std::iter::from_fn(|| outbox.pop()).collect();
        assert_eq!((left.len(), &*left[0], &*left[1], &*left[101]), (102, "\"first\"", "100", "\"last\""));
        outbox.audio("again".into(), BACKLOG_MS_MAX);
        assert_eq!(outbox.dropped_ms(), 200 * 20 - BACKLOG_MS_MAX, "what was sent counts no more");
    }
}
