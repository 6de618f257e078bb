//! `halo call`: one call now, followed live.
//!
//! It is placed at the server that HALO_URL names, or in the rows of a process that dials from this database, or
//! by a service that is started for it and ends with it. It is followed in one way: by looking at the attempt.

mod line;
mod way;

use super::{Failure, settings};
use clap::Args;
use halo::demo::interrupted;
use halo::http::attempts::News;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use way::Way;

/// How often the attempt is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A live call is told again to hang up after this: the session may not have listened yet.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// A planned call that no process takes up within this time is withdrawn.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(30);

#[derive(Args)]
pub struct Call {
    /// Whom to call, such as +7XXXXXXXXXX.
    phone: String,
    /// dialog, realtime, realtime_pure, realtime_stream, greeting; dialog when absent.
    #[arg(long, alias = "scenario")]
    mode: Option<String>,
    /// What is said instead of the built-in script: a text, or @FILE.
    #[arg(long)]
    prompt: Option<String>,
    /// Such as ru-RU, or auto.
    #[arg(long)]
    language: Option<String>,
    /// female, male, or a provider's name of a voice.
    #[arg(long)]
    voice: Option<String>,
    /// test, service, survey, debt, advertising; test when absent.
    #[arg(long)]
    purpose: Option<String>,
    /// Time zone of the person, in which calling hours are read, such as Asia/Vladivostok.
    #[arg(long)]
    timezone: Option<String>,
    /// Print each happening as a line of JSON.
    #[arg(long)]
    json: bool,
}

impl Call {
    fn order(&self) -> Result<Value, Failure> {
        let mut order = Map::from_iter([("phone".to_owned(), json!(self.phone))]);
        let prompt = match self.prompt.as_deref().map(|text| text.strip_prefix('@').ok_or(text)) {
            None => None,
            Some(Err(text)) => Some(text.to_owned()),
            Some(Ok(file)) => {
                let text = std::fs::read_to_string(file);
                Some(text.map_err(|cause| Failure::usage(format!("--prompt: {file}: {cause}")))?)
            }
        };
        for (key, value) in [
            ("mode", &self.mode),
            ("prompt", &prompt),
            ("language", &self.language),
            ("voice", &self.voice),
            ("purpose", &self.purpose),
            ("timezone", &self.timezone),
        ] {
            if let Some(value) = value {
                order.insert(key.to_owned(), json!(value));
            }
        }
        Ok(Value::Object(order))
    }
}

/// A call that has been placed.
pub struct Placed {
    pub attempt: String,
    pub run: String,
    /// As the API tells it.
    pub told: Value,
}

pub async fn call(args: Call) -> Result<(), Failure> {
    let order = args.order()?;
    let config = settings()?;
    let way = Way::find(&config, &order).await?;
    let done = place_and_follow(&way, &order, args.json).await;
    way.close().await;
    done
}

async fn place_and_follow(way: &Way, order: &Value, as_json: bool) -> Result<(), Failure> {
    let placed = way.place(order).await?;
    let mut out = line::Lines::new(as_json);
    out.placed(&placed, way.place_name());
    let end = follow(way, &placed, &mut out).await?;
    match end {
        End::Ended { happened, asked } => out.end(&happened, asked),
        End::Left => {
            let said = match &way {
                Way::Own(..) => {
                    "left; nobody serves the call any more: it ends at its limits, and the next start asks how it went"
                }
                Way::There(_) | Way::Rows(_) => "left; the call goes on until it ends by itself",
            };
            Err(Failure::refused(said))
        }
    }
}

enum End {
    /// `asked`: because somebody pressed Ctrl-C.
    Ended { happened: Box<Value>, asked: bool },
    /// Somebody did not want to wait for the end.
    Left,
}

async fn follow(way: &Way, placed: &Placed, out: &mut line::Lines) -> Result<End, Failure> {
    let began = Instant::now();
    let mut news = News::default();
    let mut stop = Box::pin(interrupted());
    let (mut asked, mut withdrawn) = (false, false);
    let mut told_at: Option<Instant> = None;
    loop {
        let told = way.look(&placed.attempt).await?;
        for happened in news.of(&told) {
            if happened["what"] == "ended" {
                return Ok(End::Ended { happened: Box::new(happened), asked });
            }
            // Only an operator, or the provider's account, lets a paused call go on: nobody waits for that here.
            withdrawn |= happened["what"] == "held" && happened["gate"] == "paused";
            out.happened(&happened);
        }
        let state = told["state"].as_str().unwrap_or_default();
        withdrawn |= state == "planned" && began.elapsed() > TAKEN_UP_WITHIN;
        if (asked || withdrawn) && told_at.is_none_or(|at| at.elapsed() > ASK_AGAIN_AFTER) {
            told_at = Some(Instant::now());
            match state {
                "live" if asked => way.hang_up(&placed.attempt, out).await?,
                "planned" | "dialing" => way.withdraw(&placed.run).await?,
                _ => {}
            }
        }
        tokio::select! {
            () = &mut stop => {
                if asked {
                    return Ok(End::Left);
                }
                asked = true;
                told_at = None;
                stop = Box::pin(interrupted());
                out.note("hanging up; Ctrl-C again leaves the call to itself");
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
