//! Lists from a path or from standard input: looked at, begun, opened.

use super::{Failure, settings};
use clap::Args;
use halo::app::known_modes;
use halo::clock::{Anchor, Clock};
use halo::domain::list::Dialect;
use halo::http::checks;
use halo::http::lists::Given;
use halo::intake;
use halo::intake::list::dialect::Words;
use serde_json::json;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

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
}

impl Shape {
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
    if path == Path::new("-") {
        return Ok(("standard input".to_owned(), Given { bytes: Box::new(std::io::stdin()), wish }));
    }
    let failed = |cause: std::io::Error| Failure::refused(format!("{}: {cause}", path.display()));
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Failure::refused(format!("{}: a folder, and no list", path.display())));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes: Box<dyn Read + Send> = Box::new(file);
    Ok((name, Given { bytes, wish }))
}

#[derive(Args)]
pub struct Check {
    /// A list, `-` for standard input, or a campaign's folder.
    file: PathBuf,
    /// campaign.toml whose rules hold; the one beside the list when there is one.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// How national numbers are read where no settings say.
    #[arg(long, value_name = "COUNTRY", default_value = "RU")]
    region: String,
    #[command(flatten)]
    shape: Shape,
    #[arg(long)]
    json: bool,
}

/// Exit code 1 when nobody of the list can be called.
pub async fn check(args: Check) -> Result<(), Failure> {
    let config = settings()?;
    let modes = known_modes(&config)?;
    let now = Clock::running(Anchor::here(1.0)).now();
    let folder = args.file.is_dir();
    let list = if folder { of_folder(&args.file) } else { args.file.clone() };
    let beside = if folder {
        Some(args.file.join("campaign.toml"))
    } else {
        args.file.parent().map(|dir| dir.join("campaign.toml"))
    };
    let rules = args.settings.clone().or(beside.filter(|path| folder || path.exists()));
    let rules = match rules {
        None => checks::plain(&args.region, &modes).map_err(super::campaigns::refused)?,
        Some(path) => {
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|cause| Failure::refused(format!("{}: {cause}", path.display())))?;
            intake::settings::parse(&text, &modes).map_err(|faults| Failure::refused(faults.to_string()))?
        }
    };
    let (_, given) = open(&list, &args.shape)?;
    let told = checks::check(&modes, now, &rules, given).await.map_err(super::campaigns::refused)?;
    if args.json {
        println!("{}", json!(told));
    } else {
        for line in told.lines() {
            println!("{line}");
        }
    }
    if told.buckets.accepted == 0 {
        return Err(Failure::refused("nobody of this list can be called"));
    }
    Ok(())
}

/// On standard output, byte for byte.
pub fn template(language: &str) -> Result<(), Failure> {
    let wrote = std::io::stdout().write_all(intake::template::template(language).as_bytes());
    wrote.map_err(|cause| Failure::refused(format!("standard output: {cause}")))
}
