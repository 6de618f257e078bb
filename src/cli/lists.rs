//! Lists from a path or from standard input: looked at, begun, opened.

use super::there::{self, There, of_campaign};
use super::{Failure, settings};
use clap::Args;
use halo::app::known_modes;
use halo::clock::{Anchor, Clock};
use halo::config::{Config, DialogBase};
use halo::domain::list::Dialect;
use halo::http::address::encoded;
use halo::http::checks::{self, Beside, Rules};
use halo::http::lists::{Given, Sending};
use halo::http::progress::Stand;
use halo::intake;
use halo::intake::list::dialect::Words;
use halo::store::Store;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::multipart::Form;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The lists that a folder may hold, the usual one first.
const LISTS: [&str; 4] = ["contacts.csv", "contacts.xlsx", "contacts.csv.gz", "contacts.tsv"];

/// What is said of a file here is not looked for in it.
#[derive(Args)]
pub struct Shape {
    /// Such as utf-8 or windows-1251.
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// One character, or tab, comma, semicolon, pipe.
    #[arg(long, value_name = "MARK")]
    delimiter: Option<String>,
    /// double, single or none.
    #[arg(long, value_name = "WHICH")]
    quote: Option<String>,
    /// Does the first row name the columns?
    #[arg(long, value_name = "true|false")]
    header: Option<bool>,
    /// Of a workbook.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Take the list in though this very one came before.
    #[arg(long)]
    again: bool,
}

impl Shape {
    /// As the words of an address say the same.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("encoding", &self.encoding),
            ("delimiter", &self.delimiter),
            ("quote", &self.quote),
            ("sheet", &self.sheet),
        ];
        let mut words: Vec<_> = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect();
        words.extend(self.header.map(|header| ("header", header.to_string())));
        words.extend(self.again.then(|| ("again", "true".to_owned())));
        words
    }

    fn wish(&self) -> Result<Dialect, Failure> {
        let words = Words {
            encoding: self.encoding.as_deref(),
            delimiter: self.delimiter.as_deref(),
            quote: self.quote.as_deref(),
            header: self.header,
            sheet: self.sheet.as_deref(),
        };
        words.wish().map_err(|why| Failure::usage(format!("--{why}")))
    }
}

/// The list of a campaign's folder.
pub fn of_folder(dir: &Path) -> PathBuf {
    let there = LISTS.iter().map(|name| dir.join(name)).find(|path| path.exists());
    there.unwrap_or_else(|| dir.join(LISTS[0]))
}

/// A file's name and bytes, not read yet.
pub fn open(path: &Path, shape: &Shape) -> Result<(String, Given), Failure> {
    let wish = shape.wish()?;
    let sending = Sending { again: shape.again, ..Sending::default() };
    if path == Path::new("-") {
        return Ok(("standard input".to_owned(), Given { bytes: Box::new(std::io::stdin()), wish, sending }));
    }
    let failed = |cause: std::io::Error| Failure::refused(format!("{}: {cause}", path.display()));
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Failure::refused(format!("{}: a folder, and no list", path.display())));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes: Box<dyn Read + Send> = Box::new(file);
    Ok((name, Given { bytes, wish, sending }))
}

#[derive(Args)]
pub struct Check {
    /// A list, `-` for standard input, or a campaign's folder.
    file: PathBuf,
    /// campaign.toml whose rules hold; the one beside the list when there is one.
    #[arg(long, value_name = "FILE", conflicts_with = "campaign")]
    settings: Option<PathBuf>,
    /// Id or unique name of a campaign that the list is to join: its rules hold, and its numbers are known.
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// How national numbers are read where no settings say.
    #[arg(long, value_name = "COUNTRY", default_value = "RU")]
    region: String,
    #[command(flatten)]
    shape: Shape,
    #[arg(long)]
    json: bool,
}

/// The text beside the list, or in its folder.
fn beside(file: &Path, name: &str) -> Option<PathBuf> {
    let folder = if file.is_dir() { Some(file) } else { file.parent() };
    folder.map(|dir| dir.join(name)).filter(|path| path.is_file() || file.is_dir() && name == "campaign.toml")
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|cause| Failure::refused(format!("{}: {cause}", path.display())))
}

/// The database, where there is one to look into.
async fn store(config: &Config, needed: bool) -> Result<Option<Store>, Failure> {
    match halo::app::sqlite_path(&config.database_url) {
        Some(path) if !needed && !path.exists() => Ok(None),
        _ => Ok(Some(super::open(config).await?)),
    }
}

/// What the server says of the list, by the rules that are there or beside it.
async fn checked_there(there: &There, args: &Check) -> Result<Value, Failure> {
    let path = if args.file.is_dir() { of_folder(&args.file) } else { args.file.clone() };
    let contacts = there::list(&path, &args.shape)?;
    let mut form = Form::new();
    let place = match &args.campaign {
        Some(campaign) => of_campaign(campaign, "/check"),
        None => format!("/api/v1/campaigns/check?region={}", encoded(&args.region)),
    };
    if args.campaign.is_none()
        && let Some(path) = args.settings.clone().or_else(|| beside(&args.file, "campaign.toml"))
    {
        form = form.text("settings", text(&path)?);
        if let Some(script) = beside(&path, "script.toml") {
            form = form.text("script", text(&script)?);
        }
    }
    there.send(&place, &args.shape, form.part("contacts", contacts)).await
}

/// Exit code 1 when nobody of the list can be called.
pub async fn check(args: Check) -> Result<(), Failure> {
    let config = settings()?;
    if let Some(there) = There::of(&config)? {
        let told = checked_there(&there, &args).await?;
        let lines = told["told"].as_array().into_iter().flatten().filter_map(Value::as_str);
        shown(&told, lines, args.json);
        let faults = told["faults"].as_array().is_some_and(|faults| !faults.is_empty());
        return useful(told["buckets"]["accepted"].as_u64().is_some_and(|accepted| accepted > 0) && !faults);
    }
    let modes = known_modes(&config)?;
    let now = Clock::running(Anchor::here(1.0)).now();
    let list = if args.file.is_dir() { of_folder(&args.file) } else { args.file.clone() };
    let refused = super::campaigns::refused;
    let (mut there, path) = (None, args.settings.clone().or_else(|| beside(&args.file, "campaign.toml")));
    let rules = match (&args.campaign, path) {
        (Some(campaign), _) => {
            let store = there.insert(super::open(&config).await?);
            Rules::of_campaign(&store.find_campaign(campaign).await?, &modes).map_err(refused)?
        }
        (None, None) => Rules::of(checks::plain(&args.region, &modes).map_err(refused)?, None).map_err(refused)?,
        (None, Some(path)) => {
            let settings = intake::settings::parse(&text(&path)?, &modes);
            let settings = settings.map_err(|faults| Failure::refused(faults.to_string()))?;
            let script = beside(&path, "script.toml").map(|path| text(&path)).transpose()?;
            Rules::of(settings, script.as_deref()).map_err(refused)?
        }
    };
    if there.is_none() && rules.settings.list.elsewhere.days > 0 {
        there = store(&config, false).await?;
    }
    let place = Beside {
        now,
        cps_max: config.cps_max,
        lines_max: config.lines_max,
        prices: Some(halo::app::prices()?),
        models: halo::app::models(&config),
        has_dialog: config.dialog != DialogBase::Off,
    };
    let (_, given) = open(&list, &args.shape)?;
    let progress = Shown::of(&given);
    let told = checks::check(&modes, config.is_real(), there.as_ref(), place, rules, given).await.map_err(refused)?;
    progress.end();
    shown(&json!(told), told.told.iter().map(String::as_str), args.json);
    useful(told.is_useful())
}

fn shown<'a>(told: &Value, lines: impl Iterator<Item = &'a str>, as_json: bool) {
    match as_json {
        true => println!("{told}"),
        false => lines.for_each(|line| println!("{line}")),
    }
}

fn useful(is_useful: bool) -> Result<(), Failure> {
    if is_useful { Ok(()) } else { Err(Failure::refused("nobody of this list can be called")) }
}

/// How far a list is, on a terminal.
pub struct Shown {
    bar: ProgressBar,
    telling: tokio::task::JoinHandle<()>,
}

const SHOWN_EVERY: Duration = Duration::from_millis(200);
/// A list that is done within this time shows nothing.
const SHOWN_AFTER: Duration = Duration::from_millis(600);

fn said(stand: Stand) -> String {
    match stand.phase {
        "reading" => format!("{} rows read, {} MiB", stand.rows, stand.bytes >> 20),
        _ => format!("{} of {} rows stored", stand.stored, stand.accepted),
    }
}

impl Shown {
    pub fn of(given: &Given) -> Self {
        let (bar, progress) = (ProgressBar::hidden(), given.sending.progress.clone());
        let telling = tokio::spawn({
            let bar = bar.clone();
            async move {
                tokio::time::sleep(SHOWN_AFTER).await;
                // Standard error, and only where somebody looks at it.
                bar.set_draw_target(ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("{spinner} {msg}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                loop {
                    let stand = progress.stand();
                    bar.set_message(said(stand));
                    bar.tick();
                    tokio::time::sleep(SHOWN_EVERY).await;
                }
            }
        });
        Shown { bar, telling }
    }

    pub fn end(&self) {
        self.telling.abort();
        self.bar.finish_and_clear();
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.end();
    }
}

/// On standard output, byte for byte.
pub fn template(language: &str) -> Result<(), Failure> {
    let wrote = std::io::stdout().write_all(intake::template::template(language).as_bytes());
    wrote.map_err(|cause| Failure::refused(format!("standard output: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_what_is_read_and_then_what_is_stored() {
        let reading = Stand { phase: "reading", bytes: 5 << 20, rows: 70_000, accepted: 0, stored: 0 };
        assert_eq!(said(reading), "70000 rows read, 5 MiB");
        let storing = Stand { phase: "storing", accepted: 66_500, stored: 1000, ..reading };
        assert_eq!(said(storing), "1000 of 66500 rows stored");
    }
}
