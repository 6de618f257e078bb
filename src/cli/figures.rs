//! What was found: report, export, prove.

use super::there::{self, There, of_campaign};
use super::watch::Place;
use super::{Failure, Lang, Out, open, settings};
use clap::{Args, ValueEnum};
use halo::app::{known_modes, peek_clock, read_rules};
use halo::http::export;
use halo::http::verified::verified as verified_here;
use halo::report::render::{Format, render};
use halo::report::verify::Verification;
use halo::report::{Proof, Report, stored};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ReportArgs {
    /// Id or unique name.
    pub campaign: String,
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    #[arg(long, value_enum, default_value_t = Lang::En)]
    pub lang: Lang,
    /// A link to it for somebody without a key, at the server at HALO_URL or at the one of this database; in the
    /// language of `--lang`. With `--format json` the whole answer.
    #[arg(long, conflicts_with_all = ["out", "verify"])]
    pub share: bool,
    /// The link is good for so many days, 30 at most.
    #[arg(long, value_name = "N", requires = "share", default_value_t = 7)]
    pub days: i64,
    /// Into a file instead of standard output.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Count this export of attempts (CSV) again and hold it against the report: exit code 1 where a figure differs, 3
    /// where the data has moved on since.
    #[arg(long, value_name = "EXPORT")]
    verify: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Table,
    Json,
    Csv,
    Html,
    Md,
}

impl ReportArgs {
    pub fn as_json(&self) -> bool {
        matches!(self.format, Form::Json)
    }
}

#[derive(Args)]
pub struct ExportArgs {
    /// Id or unique name.
    campaign: String,
    #[arg(value_enum)]
    what: What,
    /// csv, ndjson or xlsx.
    #[arg(long, default_value = "csv")]
    format: export::sheet::Format,
    /// Of CSV: comma, semicolon, tab, pipe, or one character.
    #[arg(long, value_name = "MARK")]
    delimiter: Option<String>,
    /// CSV begins with a byte-order mark; with `--delimiter semicolon` it opens in a Russian Excel as it should.
    #[arg(long)]
    mark: bool,
    /// Rejects and notes of this list of the campaign alone, counted from 1.
    #[arg(long, value_name = "N")]
    list: Option<i64>,
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Your list back: its own columns, then what became of everybody.
    Contacts,
    Attempts,
    /// Every reply of every attempt.
    Turns,
    /// Rows that were doubled or refused.
    Rejects,
    /// Cells of accepted rows that were left out.
    Notes,
}

pub async fn report(args: ReportArgs) -> Result<(), Failure> {
    if args.share {
        return super::share::run(args).await;
    }
    if let Some(path) = &args.verify {
        return verified(&args, path).await;
    }
    let report = found(&Place::find().await?, &args.campaign).await?;
    let format = match args.format {
        Form::Table => Format::Table,
        Form::Json => Format::Json,
        Form::Csv => Format::Csv,
        Form::Html => Format::Html,
        Form::Md => Format::Markdown,
    };
    let text = render(&report, format, args.lang.into()).map_err(Failure::refused)?;
    let mut out = Out::to(args.out.as_ref())?;
    out.write(text.as_bytes())?;
    out.end();
    Ok(())
}

/// The report as it stands.
pub async fn found(place: &Place, campaign: &str) -> Result<Report, Failure> {
    let (store, clock) = match place {
        Place::There(there) => return there.get(&of_campaign(campaign, "/report.json")).await,
        Place::Here(store, clock) => (store, clock),
    };
    let campaign = store.find_campaign(campaign).await?;
    let (rules, _) = read_rules(known_modes(&settings()?)?)(&campaign.settings).map_err(Failure::refused)?;
    stored::report(store, &campaign, &rules, clock.now()).await.map_err(Failure::refused)
}

async fn verified(args: &ReportArgs, path: &Path) -> Result<(), Failure> {
    let failed = |cause| Failure::refused(format!("{}: {cause}", path.display()));
    let export = std::fs::read(path).map_err(failed)?;
    let config = settings()?;
    let found: Verification = match There::of(&config)? {
        Some(there) => there.post(&of_campaign(&args.campaign, "/report/verify"), export).await?,
        None => {
            let store = open(&config).await?;
            let now = peek_clock(&store).await?.now();
            let campaign = store.find_campaign(&args.campaign).await?;
            let (rules, _) = read_rules(known_modes(&config)?)(&campaign.settings).map_err(Failure::refused)?;
            verified_here(&store, &campaign, &rules, &export, now).await?
        }
    };
    let text = match args.format {
        Form::Json => serde_json::to_string_pretty(&found).map_err(Failure::refused)? + "\n",
        _ => found.text(),
    };
    let mut out = Out::to(args.out.as_ref())?;
    out.write(text.as_bytes())?;
    out.end();
    match found.exit_code() {
        0 => Ok(()),
        code => Err(Failure { code, message: String::new() }),
    }
}

pub async fn export(args: ExportArgs) -> Result<(), Failure> {
    let what = match args.what {
        What::Contacts => export::What::Contacts,
        What::Attempts => export::What::Attempts,
        What::Turns => export::What::Turns,
        What::Rejects => export::What::Rejects,
        What::Notes => export::What::Notes,
    };
    let shape = export::sheet::Shape::said(args.format, args.delimiter.as_deref(), args.mark);
    let shape = shape.map_err(|why| Failure::usage(format!("--{why}")))?;
    let config = settings()?;
    if let Some(there) = There::of(&config)? {
        return export_there(&there, what, &args).await;
    }
    let store = open(&config).await?;
    let mut export = export::Export::of_list(&store, what, &args.campaign, args.list, shape).await?;
    let mut out = Out::to(args.out.as_ref())?;
    while let Some(piece) = export.piece().await? {
        if !out.write(&piece)? {
            break;
        }
    }
    out.end();
    Ok(())
}

async fn export_there(there: &There, what: export::What, args: &ExportArgs) -> Result<(), Failure> {
    let path = format!("/{}.{}", what.as_str(), args.format.as_str());
    let mut words: Vec<(&str, String)> = Vec::new();
    words.extend(args.delimiter.clone().map(|mark| ("delimiter", mark)));
    words.extend(args.mark.then(|| ("mark", "true".to_owned())));
    words.extend(args.list.map(|list| ("list", list.to_string())));
    let mut file = there.file(&of_campaign(&args.campaign, &path), &words).await?;
    let mut out = Out::to(args.out.as_ref())?;
    while let Some(piece) = there::piece(&mut file).await? {
        if !out.write(&piece)? {
            break;
        }
    }
    out.end();
    Ok(())
}

pub async fn prove(campaign: &str, as_json: bool) -> Result<(), Failure> {
    let config = settings()?;
    let proof: Proof = match There::of(&config)? {
        Some(there) => there.get(&of_campaign(campaign, "/prove")).await?,
        None => {
            let store = open(&config).await?;
            let campaign = store.find_campaign(campaign).await?;
            let (rules, _) = read_rules(known_modes(&config)?)(&campaign.settings).map_err(Failure::refused)?;
            Proof::of(campaign.name, store.prove(campaign.campaign).await?, rules.retry.attempts_max)
        }
    };
    if as_json {
        println!("{}", serde_json::to_string_pretty(&proof).map_err(Failure::refused)?);
    } else {
        print!("{}", proof.text());
    }
    if proof.holds() { Ok(()) } else { Err(Failure { code: 1, message: String::new() }) }
}
