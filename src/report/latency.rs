//! What is measured of calls in milliseconds, and how often each value came.

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::figures::Night;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Dial → ringing.
    PddMs,
    /// Ringing → answered.
    RingMs,
    /// Dial → answered.
    AnswerMs,
    /// Answered → first agent audio, human calls; never is +∞.
    FirstAudioMs,
    /// End of the callee's speech → first agent audio of the reply; turns of human calls.
    TurnMs,
    /// The same until the first audio that is no filler; made of `TurnMs` and the two below, never stored.
    TurnContentMs,
    /// `TurnMs` of replies that a filler began.
    FillerTurnMs,
    /// `TurnContentMs` of replies that a filler began.
    FillerContentMs,
    /// Length of human calls.
    TalkMs,
    /// Stages of a turn; they overlap, and are no parts of a sum.
    AsrMs,
    ReplyMs,
    ModelMs,
    TtsMs,
}

impl Metric {
    pub const ALL: [Metric; 6] =
        [Metric::PddMs, Metric::RingMs, Metric::AnswerMs, Metric::FirstAudioMs, Metric::TurnMs, Metric::TalkMs];

    /// Of turns, shown and compared by nothing: recogniser, our reply, the realtime model, synthesis; and the wait for a
    /// reply behind a filler.
    pub const STAGES: [Metric; 5] =
        [Metric::AsrMs, Metric::ReplyMs, Metric::ModelMs, Metric::TtsMs, Metric::TurnContentMs];

    /// What `TurnContentMs` is made of, shown nowhere.
    pub const FILLERS: [Metric; 2] = [Metric::FillerTurnMs, Metric::FillerContentMs];

    pub fn as_str(self) -> &'static str {
        match self {
            Metric::PddMs => "pdd_ms",
            Metric::RingMs => "ring_ms",
            Metric::AnswerMs => "answer_ms",
            Metric::FirstAudioMs => "first_audio_ms",
            Metric::TurnMs => "turn_ms",
            Metric::TurnContentMs => "turn_content_ms",
            Metric::FillerTurnMs => "filler_turn_ms",
            Metric::FillerContentMs => "filler_content_ms",
            Metric::TalkMs => "talk_ms",
            Metric::AsrMs => "asr_ms",
            Metric::ReplyMs => "reply_ms",
            Metric::ModelMs => "model_ms",
            Metric::TtsMs => "tts_ms",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Metric::ALL.into_iter().chain(Metric::STAGES).chain(Metric::FILLERS).find(|metric| metric.as_str() == text)
    }
}

/// How often a latency had which value in one night's calls of one mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LatencyCounts {
    pub night: Night,
    pub mode: Mode,
    pub metric: Metric,
    /// Observations that are +∞ (no audio ever).
    pub never: u64,
    /// Whole milliseconds, ascending, with the number of observations that had them.
    pub counts: Vec<(i64, u64)>,
}

impl LatencyCounts {
    /// Of one observation; `None` is +∞.
    pub fn one(night: Night, mode: Mode, metric: Metric, value_ms: Option<i64>) -> Self {
        let counts = value_ms.map(|ms| (ms, 1)).into_iter().collect();
        LatencyCounts { night, mode, metric, never: u64::from(value_ms.is_none()), counts }
    }

    pub fn n(&self) -> u64 {
        self.never + self.counts.iter().map(|(_, n)| n).sum::<u64>()
    }

    /// One for each night, mode and metric, in their order.
    pub(super) fn put_in_order(all: &mut Vec<LatencyCounts>) {
        fn key(counts: &LatencyCounts) -> (Night, &Mode, Metric) {
            (counts.night, &counts.mode, counts.metric)
        }
        all.sort_by(|a, b| key(a).cmp(&key(b)));
        all.dedup_by(|next, first| {
            let same = key(next) == key(first);
            if same {
                first.never += next.never;
                first.counts.append(&mut next.counts);
            }
            same
        });
        all.iter_mut().for_each(|counts| add_up(&mut counts.counts));
    }
}

/// Each value once, ascending; what is in order already costs one walk.
pub fn add_up(counts: &mut Vec<(i64, u64)>) {
    if counts.is_sorted_by(|a, b| a.0 < b.0) {
        return;
    }
    counts.sort();
    counts.dedup_by(|next, first| {
        let same = next.0 == first.0;
        if same {
            first.1 += next.1;
        }
        same
    });
}
