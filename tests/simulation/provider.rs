//! The provider's door: what it is asked waits here until the world says what becomes of it.

use super::world::World;
use super::{laws, nodes::Stop};
use futures::future::BoxFuture;
use halo::domain::Token;
use halo::voximplant::Provider;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};

/// HTTP's status and body.
pub type Answer = (u16, Value);

pub struct Request {
    pub method: &'static str,
    pub form: BTreeMap<String, String>,
    pub reply: oneshot::Sender<Answer>,
}

/// Where a client's requests go: to the world's scheduler.
pub struct Door(pub mpsc::UnboundedSender<Stop>);

impl Provider for Door {
    fn answer(&self, method: &'static str, form: Vec<(String, String)>) -> BoxFuture<'static, Answer> {
        let (reply, answer) = oneshot::channel();
        // When the world has ended nobody hears this any more.
        let _ended = self.0.send(Stop::Asks(Request { method, form: form.into_iter().collect(), reply }));
        Box::pin(async move { answer.await.unwrap_or((UNCLEAR, json!({}))) })
    }
}

const UNCLEAR: u16 = 500;
/// "Too many": the start was not taken.
const TOO_MANY: i64 = 340;

fn refused(code: i64) -> Answer {
    (200, json!({ "error": { "code": code, "msg": "not now" } }))
}

fn rules() -> Answer {
    let rule = json!({ "rule_id": 7, "rule_name": "greeting_rule", "scenarios": [{ "scenario_id": 1 }] });
    (200, json!({ "result": [rule], "count": 1, "total_count": 1 }))
}

fn started(session: i64) -> Answer {
    let access = format!("https://127.0.0.1/{session}");
    (200, json!({ "result": 1, "call_session_history_id": session, "media_session_access_secure_url": access }))
}

impl World {
    /// What the provider does about a request, at the moment at which it arrives.
    pub async fn answer(&mut self, method: &str, form: &BTreeMap<String, String>) -> Result<Answer, String> {
        let faults = self.faults();
        Ok(match method {
            "GetRules" => rules(),
            "GetCallHistory" if faults && self.dice.chance(8) => (UNCLEAR, json!({})),
            "GetCallHistory" => (200, self.history(&form["call_session_history_id"])),
            "StartScenarios" => self.starts(&form["script_custom_data"]).await?,
            other => return Err(format!("nobody asks for {other}")),
        })
    }

    async fn starts(&mut self, data: &str) -> Result<Answer, String> {
        let said: Value = serde_json::from_str(data).expect("custom data");
        let text = |name: &str| said[name].as_str().expect("a field of the custom data");
        let attempt = text("a").parse().expect("an attempt's id");
        let token: Token = text("t").parse().expect("a token");
        let held = self.store.attempt(attempt).await.expect("the store answers").expect("it was planned");
        let again = self.record.was_started(attempt);
        let at = self.now();
        let start = laws::Start { attempt, run: held.run, token: token.hash(), slot_us: held.slot_us, at };
        self.record.started(start)?;
        if again {
            // Whatever is left of an earlier start has its chance now.
            self.hasten(attempt);
        }
        self.meddle(held.run, held.to.as_str(), 2_500);
        Ok(match self.dice.within(0, 100) {
            0..5 => {
                self.record.closed(attempt, token.hash());
                refused(TOO_MANY)
            }
            5..9 => (UNCLEAR, json!({})),
            luck => {
                let session = self.make_session(attempt, token.clone());
                if luck < 25 {
                    self.make_session(attempt, token);
                }
                if luck >= 90 { (UNCLEAR, json!({})) } else { started(session) }
            }
        })
    }
}
