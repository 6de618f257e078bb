//! Money: what a call costs and the most that it can cost.
//!
//! Amounts are whole micros (millionths) of the one currency of `prices.toml`; a fraction is rounded up, so that a
//! budget is never overrun by what was cut off.

use super::settings::{Amd, Dial};
use super::{Mode, PhoneNumber};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const MICROS: i64 = 1_000_000;
/// Prices older than this are to be read again.
pub const PRICES_DAYS_MAX: i64 = 180;

/// What a session does after its call's limit: a goodbye, and the hang-up.
const GOODBYE_S: i64 = 30;
/// Detection of a machine is billed for no longer.
const AMD_S_MAX: i64 = 60;

/// Tokens that a second of audio makes (developers.openai.com/api/docs/guides/realtime-costs).
const CALLEE_TOKENS_S: i64 = 10;
const AGENT_TOKENS_S: i64 = 20;
/// A reply is asked for no oftener than this, and each reads the conversation again.
const REPLY_EVERY_S: i64 = 5;
/// What a model is told in advance, in tokens, and the most it can hold in mind.
const TOLD_TOKENS: i64 = 2_000;
const CONTEXT_TOKENS_MAX: i64 = 32_000;

/// Tokens of the text that a second of speech is: fifteen letters, three to a token.
const WRITTEN_TOKENS_S: i64 = 5;
/// A reply is asked for twice at most: after a failure, or to hear what follows a tool.
const ASKS: i64 = 2;
/// The call of a tool, in tokens.
const TOOL_TOKENS: i64 = 40;

/// Where a price stands, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub source: String,
    pub date: NaiveDate,
    /// Nobody read it at whoever asks it.
    pub unverified: bool,
}

/// A minute of an answered call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallPrice {
    /// How the number begins, `+` included; empty for any.
    pub to: String,
    pub minute: i64,
    /// Billed in steps of so many seconds.
    pub step_s: i64,
    #[serde(flatten)]
    pub source: Source,
}

/// What a session uses besides its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Session,
    Recording,
    Amd,
    Asr,
    Tts,
    Realtime,
}

impl Part {
    pub const ALL: [Part; 6] = [Part::Session, Part::Recording, Part::Amd, Part::Asr, Part::Tts, Part::Realtime];

    pub fn as_str(self) -> &'static str {
        match self {
            Part::Session => "session",
            Part::Recording => "recording",
            Part::Amd => "amd",
            Part::Asr => "asr",
            Part::Tts => "tts",
            Part::Realtime => "realtime",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MinutePrice {
    pub minute: i64,
    #[serde(flatten)]
    pub source: Source,
}

/// Micros for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPrices {
    pub text_in: i64,
    pub text_cached: i64,
    pub text_out: i64,
    pub audio_in: i64,
    pub audio_cached: i64,
    pub audio_out: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelPrice {
    #[serde(flatten)]
    pub tokens: TokenPrices,
    #[serde(flatten)]
    pub source: Source,
}

/// What one unit of another currency is worth, in micros of the table's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    pub from: String,
    pub worth: i64,
    #[serde(flatten)]
    pub source: Source,
}

/// `prices.toml`, understood: every amount in its one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prices {
    pub date: NaiveDate,
    pub currency: String,
    /// By what prices in other currencies were turned into it.
    pub rates: Vec<Rate>,
    pub calls: Vec<CallPrice>,
    pub minutes: BTreeMap<Part, MinutePrice>,
    pub models: BTreeMap<String, ModelPrice>,
}

/// Tokens that somebody counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub text_in: i64,
    pub text_cached: i64,
    pub text_out: i64,
    pub audio_in: i64,
    pub audio_cached: i64,
    pub audio_out: i64,
}

impl TokenPrices {
    pub fn cost(&self, tokens: Tokens) -> i64 {
        let parts = [
            (self.text_in, tokens.text_in),
            (self.text_cached, tokens.text_cached),
            (self.text_out, tokens.text_out),
            (self.audio_in, tokens.audio_in),
            (self.audio_cached, tokens.audio_cached),
            (self.audio_out, tokens.audio_out),
        ];
        let sum: i128 = parts.iter().map(|(price, n)| i128::from(*price) * i128::from(*n)).sum();
        up(sum, 1_000_000)
    }

    fn dearness(&self) -> i64 {
        self.audio_in.saturating_add(self.audio_out)
    }
}

/// Tokens of a conversation in which nobody counted: both sides are taken to talk all the time, and every reply
/// reads what went before, so the count is rather too high than too low.
pub fn tokens_of(talk_s: i64) -> Tokens {
    let spoken = (CALLEE_TOKENS_S + AGENT_TOKENS_S) * talk_s;
    let replies = talk_s.div_euclid(REPLY_EVERY_S) + i64::from(talk_s > 0);
    // On the average half of what was spoken at last.
    let read_again = (spoken / 2).min(CONTEXT_TOKENS_MAX);
    Tokens {
        text_in: if talk_s > 0 { TOLD_TOKENS } else { 0 },
        text_cached: TOLD_TOKENS * replies,
        text_out: 0,
        audio_in: CALLEE_TOKENS_S * talk_s,
        audio_cached: read_again * replies,
        audio_out: AGENT_TOKENS_S * talk_s,
    }
}

/// Tokens of the replies that a model writes in a call that is talked through for so long. Each reply reads what it was
/// told and what went before, so the count is rather too high than too low.
pub fn written_in(talk_s: i64) -> Tokens {
    let said = WRITTEN_TOKENS_S * talk_s;
    let asked = ASKS * (talk_s.div_euclid(REPLY_EVERY_S) + i64::from(talk_s > 0));
    let read_again = (said / 2).min(CONTEXT_TOKENS_MAX);
    Tokens { text_in: (TOLD_TOKENS + read_again) * asked, text_out: said + TOOL_TOKENS * asked, ..Tokens::default() }
}

/// The models that a call may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models {
    /// The realtime model that sessions are told to use.
    pub realtime: String,
    /// The one that replies turn by turn; none where the rules do.
    pub replier: Option<String>,
}

/// The prices of one call, and how long it can be: kept with its reservation, so that a table which changes
/// meanwhile does not change what was agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// Micros a minute of the answered call, billed in steps.
    pub call_minute: i64,
    pub step_s: i64,
    /// Micros a minute of the session, ringing included.
    pub session_minute: i64,
    /// Micros a minute while somebody is on the line: speech, recording, the connector.
    pub talk_minute: i64,
    /// Micros a minute of machine detection.
    pub amd_minute: i64,
    pub ring_s: i64,
    pub call_s: i64,
    pub model: Option<TokenPrices>,
    /// Of the model that replies turn by turn. Older tariffs knew none.
    #[serde(default)]
    pub replier: Option<TokenPrices>,
}

impl Prices {
    /// What a call to this number in this mode costs. A model without a price costs as the dearest that has one.
    pub fn tariff(&self, to: &PhoneNumber, mode: &Mode, dial: &Dial, models: &Models) -> Tariff {
        let begins = |price: &&CallPrice| to.as_str().starts_with(&price.to);
        let call = self.calls.iter().filter(begins).max_by_key(|price| price.to.len());
        self.of_call(call, mode, dial, models)
    }

    /// The same for whichever number costs least: below the most that such a call can cost, nobody can be called.
    pub fn cheapest(&self, mode: &Mode, dial: &Dial, models: &Models) -> Tariff {
        let tariffs = self.calls.iter().map(|price| self.of_call(Some(price), mode, dial, models));
        tariffs.min_by_key(Tariff::most).unwrap_or_else(|| self.of_call(None, mode, dial, models))
    }

    /// What the tokens of a model that speaks cost; one without a price costs as the dearest that has one.
    pub fn spoken(&self, model: &str) -> Option<TokenPrices> {
        let known = self.models.get(model).map(|price| price.tokens);
        known.or_else(|| self.models.values().map(|price| price.tokens).max_by_key(TokenPrices::dearness))
    }

    fn of_call(&self, call: Option<&CallPrice>, mode: &Mode, dial: &Dial, models: &Models) -> Tariff {
        let minute = |part: Part| self.minutes.get(&part).map_or(0, |price| price.minute);
        let (speech, realtime) = match mode.as_str() {
            "greeting" => (minute(Part::Tts), false),
            "dialog" => (minute(Part::Asr) + minute(Part::Tts), false),
            "realtime" | "realtime_pure" | "realtime_stream" => (minute(Part::Realtime), true),
            // A mode of somebody's own may use everything.
            _ => (minute(Part::Asr) + minute(Part::Tts) + minute(Part::Realtime), true),
        };
        let replied = !matches!(mode.as_str(), "greeting" | "realtime_pure" | "realtime_stream");
        Tariff {
            call_minute: call.map_or(0, |price| price.minute),
            step_s: call.map_or(1, |price| price.step_s),
            session_minute: minute(Part::Session),
            talk_minute: speech + if dial.record { minute(Part::Recording) } else { 0 },
            amd_minute: if dial.amd == Amd::Off { 0 } else { minute(Part::Amd) },
            ring_s: i64::from(dial.ring_s),
            call_s: i64::from(dial.call_s),
            model: if realtime { self.spoken(&models.realtime) } else { None },
            replier: models.replier.as_deref().filter(|_| replied).map(|name| self.written(name)),
        }
    }

    /// What the tokens of a model that writes cost; one without a price costs as the dearest that has one.
    pub fn written(&self, model: &str) -> TokenPrices {
        let all = self.models.values().map(|price| price.tokens);
        let dearest = || all.max_by_key(|price| price.text_in.saturating_add(price.text_out));
        let known = self.models.get(model).map(|price| price.tokens).or_else(dearest);
        known.unwrap_or(TokenPrices {
            text_in: 0,
            text_cached: 0,
            text_out: 0,
            audio_in: 0,
            audio_cached: 0,
            audio_out: 0,
        })
    }

    /// Prices that nobody read at whoever asks them, and all.
    pub fn unverified(&self) -> (usize, usize) {
        let sources: Vec<&Source> = (self.calls.iter().map(|price| &price.source))
            .chain(self.minutes.values().map(|price| &price.source))
            .chain(self.models.values().map(|price| &price.source))
            .chain(self.rates.iter().map(|rate| &rate.source))
            .collect();
        (sources.iter().filter(|source| source.unverified).count(), sources.len())
    }

    /// Whole days since the table was made.
    pub fn age_days(&self, today: NaiveDate) -> i64 {
        today.signed_duration_since(self.date).num_days()
    }
}

impl Tariff {
    /// What the provider bills for a call that rang and was talked through for so long.
    pub fn provider(&self, ring_s: i64, talk_s: i64) -> i64 {
        let billed_s = talk_s.div_euclid(self.step_s) + i64::from(talk_s.rem_euclid(self.step_s) > 0);
        let a_minute = [
            (self.call_minute, billed_s * self.step_s),
            (self.session_minute, ring_s + talk_s),
            (self.talk_minute, talk_s),
            (self.amd_minute, talk_s.min(AMD_S_MAX)),
        ];
        up(a_minute.iter().map(|(price, s)| i128::from(*price) * i128::from(*s)).sum(), 60)
    }

    /// What a realtime model costs, which nobody bills through the provider; where it told its tokens, these count.
    pub fn models(&self, talk_s: i64) -> i64 {
        self.model.map_or(0, |prices| prices.cost(tokens_of(talk_s)))
    }

    /// What replies cost that a model writes; once they are written, their own tokens count.
    pub fn replies(&self, talk_s: i64) -> i64 {
        self.replier.map_or(0, |prices| prices.cost(written_in(talk_s)))
    }

    /// A call that rang and was talked through for so long, with everybody's part.
    pub fn of(&self, ring_s: i64, talk_s: i64) -> i64 {
        self.provider(ring_s, talk_s) + self.models(talk_s) + self.replies(talk_s)
    }

    /// The most that the call can cost: it rings as long as it may, and somebody talks to the end.
    pub fn most(&self) -> i64 {
        self.of(self.ring_s, self.call_s + GOODBYE_S)
    }

    /// What of that is for the provider.
    pub fn provider_most(&self) -> i64 {
        self.provider(self.ring_s, self.call_s + GOODBYE_S)
    }

    /// What of that is for a realtime model.
    pub fn models_most(&self) -> i64 {
        self.models(self.call_s + GOODBYE_S)
    }
}

/// Rounded up.
fn up(sum: i128, by: i128) -> i64 {
    i64::try_from((sum + by - 1).div_euclid(by)).unwrap_or(i64::MAX)
}

/// An amount in words, to the cent, or finer where there is not a cent: `12.34 USD`.
pub fn shown(micros: i64, currency: &str) -> String {
    let units = micros as f64 / MICROS as f64;
    if micros != 0 && micros.abs() < 10_000 {
        format!("{units:.4} {currency}")
    } else {
        format!("{units:.2} {currency}")
    }
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
