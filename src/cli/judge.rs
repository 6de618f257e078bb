//! `halo judge` and `halo label`: the goal read out of what was said, by a judge and by people, blind to the mode.

use super::there::{self, There, of_campaign};
use super::{Failure, open, settings};
use clap::{Args, Subcommand};
use halo::app::{known_modes, peek_clock, read_rules, replier};
use halo::config::Config;
use halo::domain::experiment::Judge;
use halo::domain::{AttemptId, RunId};
use halo::http::judge::{By, CALLS_MAX, Judged, judge_run, sample};
use halo::store::{Campaign, Store};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Args)]
pub struct JudgeArgs {
    /// A campaign's id or unique name, or a run's id.
    target: String,
    /// rules or model (OPENAI_MODEL); as the experiment says when absent.
    #[arg(long, value_name = "JUDGE")]
    by: Option<Judge>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum Labels {
    /// Calls of a run to read, without their mode: drawn by a seed, the same seed draws the same.
    Sample {
        run: RunId,
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=500))]
        n: u16,
        /// The campaign's own when absent.
        #[arg(long)]
        seed: Option<u64>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What you found in a call: did it reach its goal?
    Set {
        attempt: AttemptId,
        #[arg(value_enum)]
        goal: Found,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Found {
    Yes,
    No,
}

/// The campaign, and those of its runs that are meant.
async fn target(store: &Store, text: &str) -> Result<(Campaign, Vec<RunId>), Failure> {
    if let Ok(run) = text.parse::<RunId>() {
        let run = store.run(run).await?;
        return Ok((store.find_campaign(&run.campaign.to_string()).await?, vec![run.run]));
    }
    let campaign = store.find_campaign(text).await?;
    let runs = store.runs(campaign.campaign).await?.into_iter().map(|run| run.run).collect();
    Ok((campaign, runs))
}

/// What became of the calls of some runs.
#[derive(Default, Serialize)]
struct Sum {
    campaign: String,
    judge: String,
    rubric: String,
    judged: usize,
    failed: BTreeMap<String, u64>,
    left: i64,
    forgotten: i64,
    cost_micros: i64,
}

impl Sum {
    /// Where the run goes on, if it does.
    fn add(&mut self, piece: Judged) -> Option<AttemptId> {
        self.judged += piece.judged;
        self.cost_micros += piece.cost_micros;
        piece.failed.into_iter().for_each(|(why, n)| *self.failed.entry(why).or_default() += n);
        self.rubric = piece.rubric;
        if piece.after.is_none() {
            self.left += piece.left;
            self.forgotten += piece.forgotten;
        }
        piece.after
    }
}

async fn judged_there(there: &There, args: &JudgeArgs) -> Result<Sum, Failure> {
    let (campaign, runs) = if args.target.parse::<RunId>().is_ok() {
        let run: Value = there.get(&format!("/api/v1/runs/{}", args.target)).await?;
        (run["campaign"].clone(), vec![args.target.clone()])
    } else {
        let campaign: Value = there.get(&of_campaign(&args.target, "")).await?;
        (campaign["id"].clone(), there::read(campaign["runs"].clone())?)
    };
    let mut sum = Sum { campaign: there::read(campaign)?, ..Sum::default() };
    for run in runs {
        let mut order = json!({ "limit": CALLS_MAX });
        if let Some(by) = args.by {
            order["by"] = by.as_str().into();
        }
        loop {
            let piece: Judged = there.wait(&format!("/api/v1/runs/{run}/judge"), &order).await?;
            sum.judge.clone_from(&piece.judge);
            match sum.add(piece) {
                Some(after) => order["after"] = json!(after),
                None => break,
            }
        }
    }
    Ok(sum)
}

async fn judged_here(config: &Config, args: &JudgeArgs) -> Result<Sum, Failure> {
    let store = open(config).await?;
    let (campaign, runs) = target(&store, &args.target).await?;
    let (rules, _) = read_rules(known_modes(config)?)(&campaign.settings).map_err(Failure::refused)?;
    let judge = args.by.unwrap_or(rules.experiment.judge);
    let model = match judge {
        Judge::Rules => None,
        Judge::Model => replier(config)?,
    };
    let by = By::of(judge, model.as_ref())?;
    let mut sum = Sum { campaign: campaign.campaign.to_string(), judge: judge.as_str().to_owned(), ..Sum::default() };
    for run in runs {
        let mut after = None;
        loop {
            let now = peek_clock(&store).await?.now();
            let piece = judge_run(&store, &campaign.script, run, &by, (after, CALLS_MAX), now).await?;
            after = sum.add(piece);
            if after.is_none() {
                break;
            }
        }
    }
    store.close().await;
    Ok(sum)
}

/// Exit code 1 where a call could not be judged though its words are there.
pub async fn run(args: JudgeArgs) -> Result<(), Failure> {
    let config = settings()?;
    let sum = match There::of(&config)? {
        Some(there) => judged_there(&there, &args).await?,
        None => judged_here(&config, &args).await?,
    };
    if args.json {
        println!("{}", json!(sum));
    } else {
        let Sum { judge, judged, left, forgotten, .. } = &sum;
        println!("Judged by {judge}: {judged} calls; left {left}, of {forgotten} no words are kept.");
        sum.failed.iter().for_each(|(why, n)| println!("  {n} not judged: {why}"));
    }
    match sum.left > sum.forgotten {
        true => {
            let left = sum.left - sum.forgotten;
            Err(Failure { code: 1, message: format!("{left} calls are not judged; ask again") })
        }
        false => Ok(()),
    }
}

pub async fn labels(verb: Labels) -> Result<(), Failure> {
    let config = settings()?;
    if let Some(there) = There::of(&config)? {
        return labels_there(&there, verb).await;
    }
    let store = open(&config).await?;
    match verb {
        Labels::Sample { run, n, seed, json } => {
            let (campaign, _) = target(&store, &run.to_string()).await?;
            shown(&sample(&store, run, usize::from(n), &campaign.salt, seed).await?, json);
        }
        Labels::Set { attempt, goal } => {
            let now = peek_clock(&store).await?.now();
            if !store.put_label(attempt, matches!(goal, Found::Yes), now).await? {
                return Err(Failure::refused(format!("attempt `{attempt}` is no human call of a campaign")));
            }
            println!("Kept.");
        }
    }
    store.close().await;
    Ok(())
}

async fn labels_there(there: &There, verb: Labels) -> Result<(), Failure> {
    match verb {
        Labels::Sample { run, n, seed, json } => {
            let mut words = vec![("n", n.to_string())];
            words.extend(seed.map(|seed| ("seed", seed.to_string())));
            shown(&there.find(&format!("/api/v1/runs/{run}/labels/sample"), &words).await?, json);
        }
        Labels::Set { attempt, goal } => {
            let label = json!({ "goal": matches!(goal, Found::Yes) });
            there.tell(Method::PUT, &format!("/api/v1/attempts/{attempt}/label"), label).await?;
            println!("Kept.");
        }
    }
    Ok(())
}

fn shown(drawn: &Value, as_json: bool) {
    match as_json {
        true => println!("{drawn}"),
        false => print!("{}", text(drawn)),
    }
}

/// A call, its words, and how to say what was found.
fn text(drawn: &Value) -> String {
    let mut out = String::new();
    for item in drawn["items"].as_array().into_iter().flatten() {
        let attempt = item["attempt"].as_str().unwrap_or_default();
        let label = match item["label"].as_bool() {
            Some(true) => " (labelled yes)",
            Some(false) => " (labelled no)",
            None => "",
        };
        out += &format!("{attempt}{label}\n");
        for turn in item["transcript"].as_array().into_iter().flatten() {
            for (who, key) in [("  callee: ", "callee"), ("  agent:  ", "agent")] {
                let said = turn[key].as_str().unwrap_or_default();
                if !said.is_empty() {
                    out += &format!("{who}{said}\n");
                }
            }
        }
        out += &format!("  halo label set {attempt} yes|no\n\n");
    }
    out
}
