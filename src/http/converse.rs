//! One turn with a model: asked, listened to sentence by sentence, asked once more when it fails.

use super::talk::{Going, Model};
use crate::chat::{Called, Patience, Question, Said, Trouble, Usage};
use crate::dialogue::speech::Sentences;
use crate::dialogue::{Script, Variables, model};
use crate::domain::Timestamp;
use crate::domain::money::Tokens;
use crate::store::Made;
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;

/// The first, and one more when that failed.
const TRIES: usize = 2;
/// An answer that has begun may last so many times a turn's limit.
const WHOLE: u32 = 2;
/// Letters of a token, rather too few than too many.
const TOKEN_LETTERS: usize = 3;

/// What a model said, fit to be spoken, and the tools it called: name and arguments.
pub(super) struct Answered {
    pub text: String,
    pub called: Vec<(String, String)>,
}

/// `None`: it failed, and what went wrong stands in `trouble`.
pub(super) async fn converse(
    model: &Model,
    turn: Duration,
    script: &Script,
    question: &model::Question,
    heard: (&str, Timestamp, Tz),
    tell: &watch::Sender<Going>,
) -> (Option<Answered>, Made) {
    let mut made = Made { replier: model.client.model().to_owned(), ..Made::default() };
    let mut usage = Counted::default();
    let mut troubles: Vec<String> = Vec::new();
    let mut answer = None;
    for _ in 0..TRIES {
        let mut asking = Asking { model, turn, tell, usage: &mut usage, made: &mut made };
        match asking.once(script, question, heard).await {
            Ok((answered, trouble)) => {
                troubles.extend(trouble);
                answer = Some(answered);
                break;
            }
            Err(Failed { why, is_final }) => {
                troubles.push(why);
                if is_final {
                    break;
                }
            }
        }
    }
    usage.into(&mut made, model);
    made.trouble = (!troubles.is_empty()).then(|| troubles.join("; then: "));
    (answer, made)
}

struct Failed {
    why: String,
    is_final: bool,
}

struct Asking<'a> {
    model: &'a Model,
    turn: Duration,
    tell: &'a watch::Sender<Going>,
    usage: &'a mut Counted,
    made: &'a mut Made,
}

impl Asking<'_> {
    /// One try: the answer, and what was wrong with it though it can be used.
    async fn once(
        &mut self,
        script: &Script,
        question: &model::Question,
        heard: (&str, Timestamp, Tz),
    ) -> Result<(Answered, Option<String>), Failed> {
        let mut asked = Question { messages: question.messages.clone(), tools: question.tools.clone(), may_call: true };
        let first = self.round(&asked).await?;
        let ends = first.said.tools.iter().any(|called| called.name == model::END_CALL);
        if !first.sentences.is_empty() || ends {
            return Ok((first.answered(first.said.tools.clone()), first.trouble));
        }
        if first.said.tools.is_empty() {
            return Err(Failed { why: "the model said nothing".into(), is_final: false });
        }
        // It only called tools: it is told that they are done, and asked to speak.
        let called = pairs(&first.said.tools);
        let (_, done) = model::take(script, &Variables::default(), &question.record, "", &called, heard);
        asked.may_call = false;
        asked.messages.push(json!({ "role": "assistant", "content": null, "tool_calls": first.said.tools.iter().map(told).collect::<Vec<_>>() }));
        for (called, done) in first.said.tools.iter().zip(done) {
            asked.messages.push(json!({ "role": "tool", "tool_call_id": called.id, "content": done.result }));
        }
        let second = self.round(&asked).await?;
        if second.sentences.is_empty() {
            return Err(Failed { why: "the model said nothing".into(), is_final: false });
        }
        Ok((second.answered(first.said.tools), second.trouble))
    }

    /// One request. What broke off behind a whole sentence is an answer all the same.
    async fn round(&mut self, question: &Question) -> Result<Round, Failed> {
        let (mut cutter, mut sentences) = (Sentences::default(), Vec::new());
        let patience = Patience { first: self.turn, whole: self.turn * WHOLE };
        let tell = self.tell;
        let asked = self.model.client.ask(question, patience, |piece| {
            publish(tell, cutter.hear(piece), &mut sentences);
            !cutter.is_over()
        });
        let (mut said, trouble) = match asked.await {
            Ok(said) => (said, None),
            Err(failure) => (failure.said, Some(failure.trouble)),
        };
        self.made.requests += 1;
        self.made.model_ms = Some(self.made.model_ms.unwrap_or(0) + said.took_ms);
        self.made.first_ms = self.made.first_ms.or(said.first_ms);
        if trouble.as_ref().is_none_or(Trouble::may_cost) {
            self.usage.add(question, &said);
        }
        let was_full = cutter.is_over();
        publish(tell, cutter.end(trouble.is_none()), &mut sentences);
        if cutter.is_strange() {
            return Err(Failed { why: "the model answered with data instead of speech".into(), is_final: false });
        }
        match trouble {
            None => {
                let cut = was_full.then(|| "the model's answer was too long, and cut".to_owned());
                Ok(Round { said, sentences, trouble: cut })
            }
            Some(trouble) if !sentences.is_empty() => {
                // Half a call of a tool is none.
                said.tools.clear();
                Ok(Round { said, sentences, trouble: Some(trouble.to_string()) })
            }
            Some(trouble) => Err(Failed { why: trouble.to_string(), is_final: trouble.is_final() }),
        }
    }
}

struct Round {
    said: Said,
    sentences: Vec<String>,
    trouble: Option<String>,
}

impl Round {
    fn answered(&self, tools: Vec<Called>) -> Answered {
        Answered { text: self.sentences.join(" "), called: pairs(&tools) }
    }
}

fn pairs(tools: &[Called]) -> Vec<(String, String)> {
    tools.iter().map(|called| (called.name.clone(), called.arguments.clone())).collect()
}

fn told(called: &Called) -> Value {
    json!({
        "id": called.id, "type": "function", "function": { "name": called.name, "arguments": called.arguments },
    })
}

fn publish(tell: &watch::Sender<Going>, whole: Vec<String>, sentences: &mut Vec<String>) {
    if !whole.is_empty() {
        tell.send_modify(|going| going.sentences.extend(whole.iter().cloned()));
        sentences.extend(whole);
    }
}

/// Tokens over the requests of a turn, as the server told them. Where it told none (an answer that broke off, or was
/// cut), they are reckoned by their letters, and stand in the cost alone.
#[derive(Default)]
pub(super) struct Counted {
    told: Usage,
    reckoned: Usage,
}

impl Counted {
    pub fn add(&mut self, question: &Question, said: &Said) {
        let none = Usage::default();
        let (of, usage) = match said.usage {
            usage if usage == none => (&mut self.reckoned, reckoned(question, said)),
            usage => (&mut self.told, usage),
        };
        of.prompt += usage.prompt;
        of.cached += usage.cached;
        of.completion += usage.completion;
    }

    pub fn into(self, made: &mut Made, model: &Model) {
        let cost = |usage: Usage| {
            let Usage { prompt, cached, completion } = usage;
            let text_in = prompt - cached;
            model.prices.cost(Tokens { text_in, text_cached: cached, text_out: completion, ..Tokens::default() })
        };
        let none = Usage::default();
        if self.told != none {
            let Usage { prompt, cached, completion } = self.told;
            (made.tokens_in, made.tokens_cached, made.tokens_out) = (Some(prompt), Some(cached), Some(completion));
        }
        if self.told != none || self.reckoned != none {
            made.cost_micros = Some(cost(self.told) + cost(self.reckoned));
        }
    }
}

fn reckoned(question: &Question, said: &Said) -> Usage {
    let tokens = |letters: usize| letters.div_ceil(TOKEN_LETTERS) as i64;
    let asked: usize = question.messages.iter().map(|message| message.to_string().chars().count()).sum();
    let called: usize = said.tools.iter().map(|called| called.arguments.chars().count()).sum();
    Usage {
        prompt: tokens(asked + question.tools.to_string().chars().count()),
        cached: 0,
        completion: tokens(said.text.chars().count() + called),
    }
}
