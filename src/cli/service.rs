//! Processes that stay: demo, serve, simulate.

use super::{Failure, address, settings};
use clap::Args;
use halo::app::{App, ClockStart, Duty, Roles, may_have, open_to_dial};
use halo::demo::{self, DemoEnd};
use halo::domain::Timestamp;
use halo::simulator;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use tracing::info;

#[derive(Args)]
pub struct Demo {
    /// End when the report is printed, instead of staying up.
    #[arg(long)]
    exit: bool,
    /// The same seed gives the same outcomes for the same contacts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times faster than life.
    #[arg(long, default_value_t = 60.0, value_parser = positive)]
    speed: f64,
    /// When it takes place, such as 2026-11-21T23:30:00Z; now when absent.
    #[arg(long, value_parser = instant)]
    at: Option<Timestamp>,
}

#[derive(Args)]
pub struct Serve {
    /// What this process does, with commas between: api (HTTP, callbacks), worker (plans and dials), scheduler.
    /// Several processes share one PostgreSQL.
    #[arg(long, default_value = "api,worker,scheduler")]
    roles: Roles,
}

#[derive(Args)]
pub struct Simulate {
    #[arg(long, default_value = "127.0.0.1:9100", value_parser = address)]
    listen: SocketAddr,
    /// A second door with TLS, for clients that refuse plain HTTP.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    tls_listen: Option<SocketAddr>,
    /// Gets ca.pem, the certificate that those clients must trust; new at every start.
    #[arg(long, value_name = "FOLDER", default_value = "simulator-tls")]
    tls_folder: PathBuf,
    /// A service account's JSON file: its tokens are taken, and the simulated account is its account.
    #[arg(long, value_name = "FILE")]
    service_key: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Pauses, ringing and speech are compressed by this.
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    speed: f64,
    /// none, or NAME=RATE,… ; a little by default.
    #[arg(long)]
    mischief: Option<simulator::Mischief>,
    /// Refuse StartScenarios without rule_id.
    #[arg(long)]
    strict_rule_id: bool,
    /// What becomes of custom data over 200 bytes.
    #[arg(long, value_enum, default_value_t)]
    long_custom_data: simulator::LongCustomData,
    /// The account's balance in USD.
    #[arg(long, default_value_t = 100.0)]
    balance: f64,
    /// What happens when no money is left.
    #[arg(long, value_enum, default_value_t)]
    no_money: simulator::NoMoney,
    /// What a scenario's HTTP request costs on its session's clock.
    #[arg(long, value_enum, default_value_t)]
    request_cost: simulator::RequestCost,
}

pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 10_000.0 => Ok(value),
        _ => Err("a number above 0, at most 10000".into()),
    }
}

/// RFC 3339, or a local-looking date and time read as UTC.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    let with_zone = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    let naive = || {
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|form| chrono::NaiveDateTime::parse_from_str(text, form).ok())
            .map(|at| at.and_utc().timestamp_millis())
    };
    with_zone.ok().or_else(naive).map(Timestamp).ok_or_else(|| "a time such as 2026-11-21T23:30:00Z".into())
}

pub async fn demo(args: Demo) -> Result<(), Failure> {
    let config = settings()?;
    let order = demo::Order { seed: args.seed, speed: args.speed, at: args.at };
    let (app, end) = match demo::run(&config, order).await {
        Ok(done) => done,
        Err(demo::DemoError::Elsewhere(why)) => return Err(Failure::usage(why)),
        Err(demo::DemoError::Other(cause)) => return Err(cause.into()),
    };
    match end {
        DemoEnd::Interrupted => {
            show_key(&app);
            eprintln!("Stopped; the same command goes on where this one was.");
            app.stop().await;
            return Ok(());
        }
        DemoEnd::Finished { holds } => {
            show_key(&app);
            if args.exit {
                app.stop().await;
                return if holds { Ok(()) } else { Err(Failure::refused("a law is broken; see above")) };
            }
        }
    }
    println!("Still running at http://{}; Ctrl-C ends it.", app.address);
    stopped().await;
    app.stop().await;
    Ok(())
}

/// Only its hash is kept: who does not see it now never will.
fn show_key(app: &App) {
    if let Some(key) = &app.fresh_api_key {
        println!("Admin key of this database, shown this once: {key}");
    }
}

pub async fn serve(args: Serve) -> Result<(), Failure> {
    let config = settings()?;
    may_have(args.roles, &config)?;
    let opened = open_to_dial(&config).await?;
    let clock = ClockStart { speed: config.clock_speed, at: None };
    let simulated = simulator::Settings { speed: config.clock_speed, ..simulator::Settings::default() };
    let mut stop = pin!(stopped());
    let app = tokio::select! {
        () = &mut stop => return Ok(()),
        app = App::start_as(&config, opened, clock, simulated, Duty::Everything, args.roles) => app?,
    };
    if let Some(key) = &app.fresh_api_key {
        println!("API_AUTH_KEY is not set. This admin key was made for you and is shown this once:\n\n    {key}\n");
    }
    match args.roles.api {
        true => info!("Serving at http://{}; calls go to {}", app.address, app.dialer.platform.name),
        false => info!("Working as {}; calls go to {}", args.roles, app.dialer.platform.name),
    }
    let broken = tokio::select! {
        () = &mut stop => None,
        why = app.store.broken() => Some(why),
    };
    info!("Stopping");
    app.stop().await;
    broken.map_or(Ok(()), |why| Err(Failure::refused(why)))
}

pub async fn simulate(args: Simulate) -> Result<(), Failure> {
    let service_account = args.service_key.as_deref().map(service_account).transpose()?;
    let settings = simulator::Settings {
        listen: args.listen,
        tls: args.tls_listen.map(|listen| simulator::Tls { listen, folder: args.tls_folder }),
        seed: args.seed,
        speed: args.speed,
        mischief: args.mischief.unwrap_or_default(),
        service_account,
        strict_rule_id: args.strict_rule_id,
        long_custom_data: args.long_custom_data,
        balance: args.balance,
        no_money: args.no_money,
        request_cost: args.request_cost,
        ..simulator::Settings::default()
    };
    let running = simulator::start(settings).await.map_err(anyhow::Error::from)?;
    println!("VOXIMPLANT_API_URL={}", running.url());
    if let Some((url, ca_file)) = running.secure() {
        println!("# With TLS: {url}");
        println!("# to be trusted: {}", ca_file.display());
    }
    info!("Simulating a Voximplant at http://{}; nobody is rung", running.address());
    stopped().await;
    running.stop().await;
    Ok(())
}

fn service_account(file: &Path) -> Result<simulator::ServiceAccount, Failure> {
    let about = |cause: &dyn std::fmt::Display| Failure::usage(format!("{}: {cause}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|cause| about(&cause))?;
    simulator::ServiceAccount::from_json(&text).map_err(|cause| about(&cause))
}

/// Ctrl-C or a polite kill.
async fn stopped() {
    demo::interrupted().await;
}
