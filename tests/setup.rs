//! Setting the platform up, against the simulator: what `deploy` does, what `doctor` finds, and what
//! neither of them tells anybody.

mod harness;

#[path = "setup/deploys.rs"]
mod deploys;
#[path = "setup/doctor.rs"]
mod doctor;
#[path = "setup/front.rs"]
mod front;
#[path = "setup/late.rs"]
mod late;
#[path = "setup/quiet.rs"]
mod quiet;

use halo::config::Config;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::net::SocketAddr;

/// The number that every simulator rents at its beginning.
pub const RENTED: &str = "+74951234567";

/// One method of the Management API, as an operator in the control panel would cause it.
pub async fn ask(simulator: SocketAddr, method: &str, params: &[(&str, &str)]) -> Value {
    let (account, key) = Config::simulated_account();
    let mut form = vec![("account_id", account), ("api_key", key.expose_secret().to_owned())];
    form.extend(params.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let url = format!("http://{simulator}/platform_api/{method}");
    let answer = reqwest::Client::new().post(url).form(&form).send().await.expect("the simulator answers");
    let answer: Value = answer.json().await.expect("JSON");
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer
}

/// A door of the simulator that puts the account into a state.
pub async fn door(simulator: SocketAddr, name: &str, state: Value) {
    let url = format!("http://{simulator}/simulator/{name}");
    let answer = reqwest::Client::new().post(url).json(&state).send().await.expect("the simulator answers");
    assert!(answer.status().is_success(), "{name} {state}: {}", answer.status());
}
