//! Where a call is placed from, and how it is looked at: over HTTP, by rows beside the process that dials, or
//! by a service of our own.

use super::super::there::There;
use super::super::{Failure, open, who};
use super::{Placed, line};
use halo::app::{App, ClockStart, Duty, known_modes, open_to_dial, peek_clock, real_phones_ring, somebody_dials};
use halo::clock::Clock;
use halo::config::Config;
use halo::dialer::{HangUp, hang_up};
use halo::domain::{AttemptId, Mode, PhoneNumber, RunId};
use halo::http::attempts::{no_hang_up, told};
use halo::http::single::{Here, Order, SingleError, place};
use halo::simulator::{self, Mischief};
use halo::store::{Actor, By, RunState, Store};
use halo::voximplant::Live;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;

pub enum Way {
    There(There),
    Rows(Box<Rows>),
    /// A service of our own, for as long as the call lasts.
    Own(Box<App>, Box<Rows>),
}

/// The database, which a process dials from.
pub struct Rows {
    store: Store,
    clock: Clock,
    modes: BTreeSet<Mode>,
    real: bool,
    caller_id: Option<PhoneNumber>,
    account: i64,
    live: Live,
}

impl From<SingleError> for Failure {
    fn from(cause: SingleError) -> Self {
        match cause {
            SingleError::Order(faults) => {
                let list: String = faults.list().iter().map(|fault| format!("\n  - {fault}")).collect();
                Failure::usage(format!("the call cannot be placed:{list}"))
            }
            SingleError::Store(cause) => cause.into(),
            held @ SingleError::Held { .. } => Failure::refused(held),
        }
    }
}

impl Way {
    /// Wrong usage is told before anything is opened or started.
    pub async fn find(config: &Config, order: &Value) -> Result<Way, Failure> {
        if let Some(there) = There::of(config)? {
            return Ok(Way::There(there));
        }
        let modes = known_modes(config)?;
        Order::read(order, &modes).map_err(SingleError::Order)?;
        if let Ok(store) = open(config).await {
            let clock = peek_clock(&store).await?;
            if somebody_dials(config, &store, &clock).await? {
                let account = store.installation_value("account").await?.and_then(|id| id.parse().ok());
                let account = account.ok_or_else(|| Failure::refused("the process that dials is still starting"))?;
                let real = real_phones_ring(config, &store).await?;
                return Ok(Way::Rows(Box::new(Rows::new(config, store, clock, modes, account, real)?)));
            }
            store.close().await;
        }
        let app = own(config).await?;
        let (store, clock, modes) = (app.store.clone(), app.clock.clone(), app.modes.clone());
        let rows = Rows::new(config, store, clock, modes, app.dialer.account, config.is_real())?;
        Ok(Way::Own(Box::new(app), Box::new(rows)))
    }

    /// In words, for the first line.
    pub fn place_name(&self) -> &str {
        match self {
            Way::There(there) => there.url(),
            Way::Rows(_) => "the process that dials from this database",
            Way::Own(app, _) if app.dialer.platform.real => "the platform",
            Way::Own(..) => "the simulator: nobody is rung",
        }
    }

    pub async fn place(&self, order: &Value) -> Result<Placed, Failure> {
        let rows = match self {
            Way::There(there) => return place_there(there, order).await,
            Way::Rows(rows) | Way::Own(_, rows) => rows,
        };
        let order = Order::read(order, &rows.modes).map_err(SingleError::Order)?;
        let here = Here {
            store: &rows.store,
            modes: &rows.modes,
            real_platform: rows.real,
            caller_id: rows.caller_id.clone(),
            account: rows.account,
            now: rows.clock.now(),
        };
        let mut told = json!({ "number": order.phone.masked(), "mode": order.mode, "purpose": order.purpose,
                               "notes": order.notes });
        let detail = json!({ "mode": told["mode"], "purpose": told["purpose"] });
        let placed = place(&here, order).await?;
        who::note(&rows.store, ("call.place", rows.clock.now()), ("attempt", placed.attempt), detail).await?;
        told["attempt"] = json!(placed.attempt);
        told["run"] = json!(placed.run);
        Ok(Placed { attempt: placed.attempt.to_string(), run: placed.run.to_string(), told })
    }

    /// The attempt as the API tells it.
    pub async fn look(&self, attempt: &str) -> Result<Value, Failure> {
        match self {
            Way::There(there) => there.ask(Method::GET, &format!("/api/v1/attempts/{attempt}"), None).await?.1,
            Way::Rows(rows) | Way::Own(_, rows) => {
                let id: AttemptId = attempt.parse().map_err(Failure::refused)?;
                told(&rows.store, id).await?.ok_or_else(|| format!("attempt {attempt} does not exist"))
            }
        }
        .map_err(Failure::refused)
    }

    pub async fn hang_up(&self, attempt: &str, out: &mut line::Lines) -> Result<(), Failure> {
        match self {
            Way::There(there) => {
                let path = format!("/api/v1/attempts/{attempt}/hangup");
                if let (StatusCode::CONFLICT, Err(why)) = there.ask(Method::POST, &path, None).await? {
                    out.note(&why);
                }
            }
            Way::Rows(rows) | Way::Own(_, rows) => {
                let id: AttemptId = attempt.parse().map_err(Failure::refused)?;
                match hang_up(&rows.store, &rows.live, id).await.map_err(Failure::refused)? {
                    HangUp::Delivered | HangUp::Unanswered | HangUp::Unknown => {
                        let act = ("attempt.hang_up", rows.clock.now());
                        who::note(&rows.store, act, ("attempt", id), Value::Null).await?;
                    }
                    refused => out.note(&no_hang_up(&refused)),
                }
            }
        }
        Ok(())
    }

    /// Nobody was called yet, and nobody will be.
    pub async fn withdraw(&self, run: &str) -> Result<(), Failure> {
        match self {
            Way::There(there) => {
                // Over already is as good.
                there.ask(Method::POST, &format!("/api/v1/runs/{run}/stop"), None).await?.1.ok();
            }
            Way::Rows(rows) | Way::Own(_, rows) => {
                let id: RunId = run.parse().map_err(Failure::refused)?;
                let now = rows.clock.now();
                let reason = Some("withdrawn by whoever placed it".to_owned());
                let line = who::line(&rows.store, "run.stop", now).about("run", id).saying(json!({ "reason": reason }));
                let by = By { actor: Actor::Cli, name: None, reason, audit: Some(Box::new(line)) };
                rows.store.change_run(id, RunState::Stopped, by, None, now).await?;
            }
        }
        Ok(())
    }

    pub async fn close(self) {
        match self {
            Way::There(_) => {}
            Way::Rows(rows) => rows.store.close().await,
            Way::Own(app, _) => app.stop().await,
        }
    }
}

async fn place_there(there: &There, order: &Value) -> Result<Placed, Failure> {
    let (status, said) = there.ask(Method::POST, "/demo/session", Some(order)).await?;
    let told = said.map_err(|why| match status {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNAUTHORIZED => Failure::usage(why),
        _ => Failure::refused(why),
    })?;
    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    Ok(Placed { attempt: text("attempt"), run: text("run"), told })
}

impl Rows {
    fn new(
        config: &Config,
        store: Store,
        clock: Clock,
        modes: BTreeSet<Mode>,
        account: i64,
        real: bool,
    ) -> Result<Self, Failure> {
        Ok(Rows {
            store,
            clock,
            modes,
            real,
            caller_id: config.caller_id.clone(),
            account,
            live: Live::new().map_err(Failure::usage)?,
        })
    }
}

async fn own(config: &Config) -> Result<App, Failure> {
    let opened = open_to_dial(config).await?;
    let clock = ClockStart { speed: config.clock_speed, at: None };
    // Somebody watches this one call: it should be what its number says.
    let simulated =
        simulator::Settings { speed: config.clock_speed, mischief: Mischief::none(), ..simulator::Settings::default() };
    let config = Config { listen: listen(config), ..config.clone() };
    let app = App::start_for(&config, opened, clock, simulated, Duty::SingleCalls).await?;
    if let Some(key) = &app.fresh_api_key {
        // Only its hash is kept: who does not see it now never will.
        eprintln!("Admin key of this database, shown this once: {key}");
    }
    Ok(app)
}

/// Sessions on this machine find us wherever we listen; those elsewhere come to BACKEND_URL, which leads to
/// HALO_LISTEN.
fn listen(config: &Config) -> SocketAddr {
    match std::net::TcpListener::bind(config.listen) {
        Err(_) if config.backend_url.is_none() => SocketAddr::new(config.listen.ip(), 0),
        _ => config.listen,
    }
}
