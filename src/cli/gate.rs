//! `halo gate`: is what was called last still within its limits?

use super::there::{There, of_campaign};
use super::{Failure, Out, open, settings};
use clap::{Args, ValueEnum};
use halo::app::{known_modes, peek_clock, read_rules};
use halo::config::Config;
use halo::report::gate::{self, Baseline, Gate, Limit};
use halo::report::gather;
use halo::report::render::gate as render;
use std::path::PathBuf;

/// Exit code 1 when a whole interval lies beyond its limit, 0 when all lie wholly within, else 3.
#[derive(Args)]
pub struct GateArgs {
    /// Id or unique name.
    campaign: String,
    /// What to hold it against: last-night (the run before), a run by id or number, or a mode of the campaign.
    #[arg(long, default_value = "last-night")]
    baseline: String,
    /// Judge this run, by id or number, instead of the newest.
    #[arg(long)]
    run: Option<String>,
    /// The 95th percentile of replies may grow by so much: 10% or 200ms.
    #[arg(long, value_name = "LIMIT", allow_hyphen_values = true)]
    max_p95_regress: Option<String>,
    /// The median reply of a call may grow by so much: 10% or 100ms.
    #[arg(long, value_name = "LIMIT", allow_hyphen_values = true)]
    max_p50_regress: Option<String>,
    /// Success may move by no less: -2pp.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    min_success: Option<String>,
    /// The share of contacts reached may move by no less: -5pp.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    min_reach: Option<String>,
    /// Early hang-ups may grow by so much: 2pp.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    max_early_hangups: Option<String>,
    /// Greetings later than 2 s, or never.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    max_late_greetings: Option<String>,
    /// Calls in which the agent was never heard.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    max_silent: Option<String>,
    /// Answered calls that a fault ended.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    max_faults: Option<String>,
    /// People who asked not to be called again.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    max_opt_outs: Option<String>,
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    /// Into a file instead of standard output.
    #[arg(long)]
    out: Option<PathBuf>,
    /// JUnit into this file besides.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Markdown into this file besides.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Table,
    Json,
    Md,
    Junit,
}

impl GateArgs {
    fn named(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let named = [
            ("max-p50-regress", &self.max_p50_regress),
            ("max-p95-regress", &self.max_p95_regress),
            ("min-success", &self.min_success),
            ("min-reach", &self.min_reach),
            ("max-early-hangups", &self.max_early_hangups),
            ("max-late-greetings", &self.max_late_greetings),
            ("max-silent", &self.max_silent),
            ("max-faults", &self.max_faults),
            ("max-opt-outs", &self.max_opt_outs),
        ];
        named.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)))
    }

    fn limits(&self) -> Result<Vec<Limit>, Failure> {
        let mut limits = Vec::new();
        for (name, text) in self.named() {
            let Some(limit) = gate::limit(name, text) else { continue };
            limits.push(limit.map_err(|fault| Failure::usage(format!("--{fault}")))?);
        }
        if limits.is_empty() {
            limits = gate::usual_limits();
        }
        // As the API tells them.
        limits.sort_by_key(|limit| limit.metric);
        Ok(limits)
    }
}

async fn asked(there: &There, args: &GateArgs) -> Result<Gate, Failure> {
    let mut words = vec![("baseline", args.baseline.clone())];
    words.extend(args.run.clone().map(|run| ("run", run)));
    words.extend(args.named().map(|(name, text)| (name, text.clone())));
    there.find(&of_campaign(&args.campaign, "/gate"), &words).await
}

async fn here(config: &Config, args: &GateArgs, limits: &[Limit]) -> Result<Gate, Failure> {
    let store = open(config).await?;
    let now = peek_clock(&store).await?.now();
    let campaign = store.find_campaign(&args.campaign).await?;
    let (rules, _) = read_rules(known_modes(config)?)(&campaign.settings).map_err(Failure::refused)?;
    let baseline = Baseline::parse(&args.baseline, &rules.modes)
        .map_err(|fault| Failure::usage(format!("--baseline: {fault}")))?;
    let figures = gather::figures(&store, &campaign, &rules, now).await.map_err(Failure::refused)?;
    gate::gate(figures, &baseline, args.run.as_deref(), limits, now).map_err(Failure::usage)
}

pub async fn run(args: GateArgs) -> Result<(), Failure> {
    let limits = args.limits()?;
    let config = settings()?;
    let found = match There::of(&config)? {
        Some(there) => asked(&there, &args).await?,
        None => here(&config, &args, &limits).await?,
    };
    for (path, text) in [(&args.junit, render::junit(&found)), (&args.markdown, render::markdown(&found))] {
        if path.is_some() {
            Out::to(path.as_ref())?.write(text.as_bytes())?;
        }
    }
    let text = match args.format {
        Form::Table => render::text(&found),
        Form::Json => serde_json::to_string_pretty(&found).map_err(Failure::refused)? + "\n",
        Form::Md => render::markdown(&found),
        Form::Junit => render::junit(&found),
    };
    let mut out = Out::to(args.out.as_ref())?;
    out.write(text.as_bytes())?;
    out.end();
    match found.exit_code {
        0 => Ok(()),
        code => Err(Failure { code, message: String::new() }),
    }
}
