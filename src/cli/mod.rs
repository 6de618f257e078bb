//! Verbs, and what each prints.

mod backup;
mod call;
mod campaigns;
mod drill;
mod erase;
mod figures;
mod gate;
mod judge;
mod keys;
mod life;
mod lists;
mod migrate;
mod plan;
mod platform;
mod rehearse;
mod service;
mod set;
mod share;
mod there;
mod watch;
mod who;
mod why;

use clap::{Parser, Subcommand, ValueEnum};
use halo::config::Config;
use halo::store::{Store, StoreError};
use std::fmt::Display;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Batch phone-call campaigns through Voximplant, and which way of talking is better.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// A whole campaign against the simulator, on your machine: nobody is rung.
    Demo(service::Demo),
    /// The service: API, callbacks, workers.
    Serve(service::Serve),
    /// A small, truthful Voximplant of our own, as a process of its own.
    Simulate(Box<service::Simulate>),
    /// Place one call now and follow it until it ends.
    Call(call::Call),
    /// Campaigns and their runs.
    #[command(subcommand)]
    Campaign(campaigns::Verb),
    /// Which mode is better, said honestly.
    Report(figures::ReportArgs),
    /// Is what was called last still within its limits? For CI: exit code 0, 1, or 3 without enough data.
    Gate(Box<gate::GateArgs>),
    /// The goal of finished calls, read out of their words by a judge who is not told the mode.
    Judge(judge::JudgeArgs),
    /// Calls for you to read and label, without their mode: how far do you and the judge agree?
    #[command(subcommand)]
    Label(judge::Labels),
    /// Is anybody being called, and if not, why: one line.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Why a contact is not being called right now, and when it will be.
    Why {
        /// A contact's id, a phone number, or an external id.
        contact: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists to take away: CSV, NDJSON or a workbook.
    Export(figures::ExportArgs),
    /// Hold the tables against the laws of dialling; exit code 1 if one is broken.
    Prove {
        /// Id or unique name.
        campaign: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Keys of the API: who may look, who may call, who may rule.
    #[command(subcommand)]
    Key(keys::Verb),
    /// Erase a person: the number and everything that tells of whom it belongs to. Calls stay counted.
    Erase(erase::Erase),
    /// Kill the runner at random moments beside a simulator, and hold what is left against the laws.
    Drill(drill::Drill),
    /// Everything of a SQLite file into an empty PostgreSQL, proven; exit code 1 if it is not the same.
    MigrateDatabase(migrate::Migrate),
    /// The whole database in one file, while it is used.
    Backup(backup::Backup),
    /// A backup in the place of the database; afterwards everything is paused until somebody confirms.
    Restore(backup::Restore),
    /// Completions for a shell: bash, zsh, fish and others.
    Completions {
        /// Whose.
        shell: clap_complete::Shell,
    },
    /// The provider's side: scenarios, rules, secrets.
    #[command(subcommand)]
    Voximplant(platform::Verb),
}

impl Verb {
    /// Whoever names a server elsewhere means its database: a backup of the one here would be taken for it.
    fn is_meant_for_here(&self) -> Result<(), Failure> {
        let elsewhere = std::env::var("HALO_URL").is_ok_and(|url| !url.trim().is_empty());
        if elsewhere && matches!(self, Verb::Backup(_) | Verb::Restore(_)) {
            return Err(Failure::usage(
                "HALO_URL names a server elsewhere, and this command works on the database of this machine alone: give it \
                 there, or write HALO_URL= before the command to mean the database here",
            ));
        }
        Ok(())
    }
}

impl Args {
    /// Goes on where the `.env` cannot be read.
    pub fn bears_a_broken_env(&self) -> bool {
        matches!(&self.verb, Verb::Voximplant(verb) if verb.bears_a_broken_env())
    }
}

/// What ends the process with a code other than 0.
pub struct Failure {
    pub code: u8,
    pub message: String,
}

impl Failure {
    /// Data refused, or a law or check failed.
    pub fn refused(message: impl Display) -> Self {
        Failure { code: 1, message: message.to_string() }
    }
    /// Wrong usage or settings.
    pub fn usage(message: impl Display) -> Self {
        Failure { code: 2, message: message.to_string() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(cause: anyhow::Error) -> Self {
        Failure::usage(format!("{cause:#}"))
    }
}

impl From<StoreError> for Failure {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Missing(what) => Failure::refused(format!("{what} does not exist")),
            cause => Failure::refused(cause),
        }
    }
}

impl From<halo::http::Problem> for Failure {
    fn from(cause: halo::http::Problem) -> Self {
        let faults: String = cause.faults.iter().map(|fault| format!("\n  - {fault}")).collect();
        Failure::refused(format!("{}{faults}", cause.detail))
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Lang {
    En,
    Ru,
}

impl From<Lang> for halo::report::Lang {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => halo::report::Lang::En,
            Lang::Ru => halo::report::Lang::Ru,
        }
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    args.verb.is_meant_for_here()?;
    match args.verb {
        Verb::Demo(demo) => {
            // The simulator's mischief is on purpose; its warnings would only tear the bars apart.
            log("error");
            service::demo(demo).await
        }
        Verb::Serve(serve) => {
            log("info");
            service::serve(serve).await
        }
        Verb::Simulate(simulate) => {
            log("info");
            service::simulate(*simulate).await
        }
        Verb::Call(call) => {
            // What happens is told line by line; warnings would only tear the lines apart.
            log("error");
            call::call(call).await
        }
        Verb::Campaign(verb) => {
            log("warn");
            campaigns::run(verb).await
        }
        Verb::Report(report) => {
            log("warn");
            figures::report(report).await
        }
        Verb::Gate(gate) => {
            log("warn");
            gate::run(*gate).await
        }
        Verb::Judge(args) => {
            log("warn");
            judge::run(args).await
        }
        Verb::Label(verb) => {
            log("warn");
            judge::labels(verb).await
        }
        Verb::Status { json } => {
            log("warn");
            why::status(json).await
        }
        Verb::Why { contact, json } => {
            log("warn");
            why::why(&contact, json).await
        }
        Verb::Export(export) => {
            log("warn");
            figures::export(export).await
        }
        Verb::Prove { campaign, json } => {
            log("warn");
            figures::prove(&campaign, json).await
        }
        Verb::Key(verb) => {
            log("warn");
            keys::run(verb).await
        }
        Verb::Erase(args) => {
            log("warn");
            erase::run(args).await
        }
        Verb::Drill(args) => {
            log("error");
            drill::run(args).await
        }
        Verb::MigrateDatabase(args) => {
            log("warn");
            migrate::run(args).await
        }
        Verb::Backup(args) => {
            log("warn");
            backup::backup(args).await
        }
        Verb::Restore(args) => {
            log("warn");
            backup::run(args).await
        }
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut <Args as clap::CommandFactory>::command(), "halo", &mut script);
            Out::to(None)?.write(&script).map(drop)
        }
        Verb::Voximplant(verb) => {
            log("warn");
            platform::run(verb).await
        }
    }
}

/// Logs go to standard error: what a verb prints is for programs too.
fn log(default: &str) {
    let asked = std::env::var("HALO_LOG").ok();
    let (words, json) = halo::app::log_form(asked.as_deref().unwrap_or_default());
    if let Err(cause) = tracing_subscriber::EnvFilter::try_new(words) {
        eprintln!("halo: HALO_LOG: {cause}; going on without it. Write it as in info,halo::dialer=debug");
    }
    let filter = halo::app::log_filter(asked.as_deref(), default);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).init();
    }
}

pub fn settings() -> Result<Config, Failure> {
    let config = Config::from_env().map_err(Failure::usage)?;
    halo::fail::arm(config.is_real()).map_err(Failure::usage)?;
    Ok(config)
}

/// The database of verbs that look: one that does not exist is not made.
pub async fn open(config: &Config) -> Result<Store, Failure> {
    if let Some(path) = halo::app::sqlite_path(&config.database_url)
        && !path.exists()
    {
        return Err(Failure::refused(format!("there is no database at {} (DATABASE_URL)", path.display())));
    }
    Ok(halo::app::open_store(config).await?)
}

/// A file, or standard output.
pub struct Out<'a> {
    path: Option<&'a Path>,
    to: Box<dyn Write>,
}

impl<'a> Out<'a> {
    pub fn to(path: Option<&'a PathBuf>) -> Result<Self, Failure> {
        let path = path.map(PathBuf::as_path);
        let to: Box<dyn Write> = match path {
            None => Box::new(std::io::stdout()),
            Some(path) => {
                let file = File::create(path);
                Box::new(file.map_err(|cause| Failure::refused(format!("{}: {cause}", path.display())))?)
            }
        };
        Ok(Out { path, to })
    }

    /// False when nobody reads any further: a closed pipe is the reader's choice, a full disk is not.
    pub fn write(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        match self.to.write_all(bytes).and_then(|()| self.to.flush()) {
            Ok(()) => Ok(true),
            Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe && self.path.is_none() => Ok(false),
            Err(cause) => {
                let place = self.path.map_or("standard output".to_owned(), |path| path.display().to_string());
                Err(Failure::refused(format!("{place}: {cause}")))
            }
        }
    }

    pub fn end(self) {
        if let Some(path) = self.path {
            println!("Written: {}", path.display());
        }
    }
}

pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address and port such as 127.0.0.1:9100"))
}
