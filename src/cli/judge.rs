//! `halo judge` and `halo label`: the goal read out of what was said, by a judge and by people, blind to the mode.

use super::{Failure, open, settings};
use clap::{Args, Subcommand};
use halo::app::{known_modes, peek_clock, read_rules, replier};
use halo::domain::experiment::Judge;
use halo::domain::{AttemptId, RunId};
use halo::http::judge::{By, CALLS_MAX, judge_run, sample};
use halo::store::{Campaign, Store};
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

/// Exit code 1 where a call could not be judged though its words are there.
pub async fn run(args: JudgeArgs) -> Result<(), Failure> {
    let config = settings()?;
    let store = open(&config).await?;
    let (campaign, runs) = target(&store, &args.target).await?;
    let (rules, _) = read_rules(known_modes(&config)?)(&campaign.settings).map_err(Failure::refused)?;
    let judge = args.by.unwrap_or(rules.experiment.judge);
    let model = match judge {
        Judge::Rules => None,
        Judge::Model => replier(&config)?,
    };
    let by = By::of(judge, model.as_ref())?;
    let (mut judged, mut left, mut forgotten, mut cost_micros) = (0, 0, 0, 0);
    let (mut failed, mut rubric) = (BTreeMap::<String, u64>::new(), String::new());
    for run in runs {
        let mut after = None;
        loop {
            let now = peek_clock(&store).await?.now();
            let piece = judge_run(&store, &campaign.script, run, &by, (after, CALLS_MAX), now).await?;
            judged += piece.judged;
            cost_micros += piece.cost_micros;
            piece.failed.into_iter().for_each(|(why, n)| *failed.entry(why).or_default() += n);
            rubric = piece.rubric;
            after = piece.after;
            if after.is_none() {
                left += piece.left;
                forgotten += piece.forgotten;
                break;
            }
        }
    }
    store.close().await;
    if args.json {
        let told = json!({
            "campaign": campaign.campaign, "judge": judge, "rubric": rubric, "judged": judged, "failed": failed,
            "left": left, "forgotten": forgotten, "cost_micros": cost_micros,
        });
        println!("{told}");
    } else {
        println!("Judged by {}: {judged} calls; left {left}, of {forgotten} no words are kept.", judge.as_str());
        failed.iter().for_each(|(why, n)| println!("  {n} not judged: {why}"));
    }
    match left > forgotten {
        true => Err(Failure { code: 1, message: format!("{} calls are not judged; ask again", left - forgotten) }),
        false => Ok(()),
    }
}

pub async fn labels(verb: Labels) -> Result<(), Failure> {
    let config = settings()?;
    let store = open(&config).await?;
    match verb {
        Labels::Sample { run, n, seed, json } => {
            let (campaign, _) = target(&store, &run.to_string()).await?;
            let drawn = sample(&store, run, usize::from(n), &campaign.salt, seed).await?;
            if json {
                println!("{drawn}");
            } else {
                print!("{}", text(&drawn));
            }
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
