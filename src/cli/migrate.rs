//! `halo migrate-database`

use super::{Failure, settings};
use clap::Args;
use halo::app::{known_modes, open_sides, read_rules};
use halo::dialer::ReadRules;
use halo::report::Proof;
use halo::store::figures::Proved;
use halo::store::migrate::Copied;
use halo::store::{Campaign, Store};
use serde_json::{Value, json};

#[derive(Args)]
pub struct Migrate {
    /// The SQLite file, such as sqlite:halo.db; DATABASE_URL when absent. It is read and not changed.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// An empty PostgreSQL database, such as postgres://…; DATABASE_URL when absent.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const CAMPAIGNS_MAX: i64 = 100_000;

pub async fn run(args: Migrate) -> Result<(), Failure> {
    let config = settings()?;
    let of_settings =
        |sqlite: bool| Some(config.database_url.clone()).filter(|url| url.starts_with("sqlite:") == sqlite);
    let from = args.from.or_else(|| of_settings(true)).filter(|url| url.starts_with("sqlite:"));
    let from = from.ok_or_else(|| Failure::usage("--from names no SQLite file (sqlite:…)"))?;
    let to = args.to.or_else(|| of_settings(false)).filter(|url| url.starts_with("postgres"));
    let to = to.ok_or_else(|| Failure::usage("--to names no PostgreSQL database (postgres://…)"))?;
    let rules = read_rules(known_modes(&config)?);

    let sides = open_sides(&from, &to).await.map_err(|cause| Failure::refused(format!("{cause:#}")))?;
    lawful(&sides.from, &rules).await?;
    let copied = sides.from.copy_all(&sides.to).await?;
    let (mut broken, mut laws) = (Vec::new(), 0);
    for campaign in &copied.campaigns {
        for proved in [&campaign.from, &campaign.to] {
            let proof = proof(&campaign.campaign, proved.clone(), &rules)?;
            laws += proof.laws.len();
            broken.extend(proof.laws.iter().filter(|law| !law.holds).map(|law| law.law.clone()));
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&told(&copied, laws)).map_err(Failure::refused)?);
    } else {
        print(&copied, laws);
    }
    sides.from.close().await;
    sides.to.close().await;
    if !broken.is_empty() {
        // Both sides prove the same, so this cannot be but where the source changed under the copy.
        return Err(Failure::refused(format!("a law is broken: {}", broken.join("; "))));
    }
    if copied.differs.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("nothing was copied: {}", copied.differs.join("; "))))
}

/// What is wrong already is not carried on, because nobody would look for it there.
async fn lawful(from: &Store, rules: &ReadRules) -> Result<(), Failure> {
    for campaign in from.campaigns(CAMPAIGNS_MAX).await? {
        let proof = proof(&campaign, from.prove(campaign.campaign).await?, rules)?;
        if !proof.holds() {
            let name = campaign.name;
            return Err(Failure::refused(format!(
                "nothing was copied: a law is broken in the source; `halo prove {name}` says which"
            )));
        }
    }
    Ok(())
}

fn proof(campaign: &Campaign, proved: Proved, rules: &ReadRules) -> Result<Proof, Failure> {
    let (settings, _) = rules(&campaign.settings).map_err(Failure::refused)?;
    Ok(Proof::of(campaign.name.clone(), proved, settings.retry.attempts_max))
}

fn print(copied: &Copied, laws: usize) {
    let width = copied.tables.iter().map(|table| table.table.len()).max().unwrap_or_default();
    for t in &copied.tables {
        let same = if t.from == t.to { "same" } else { "DIFFERS" };
        println!("  {:width$}  {:>9} rows  {:032x}  {same}", t.table, t.from.rows, t.from.checksum);
        if t.from != t.to {
            println!("  {:width$}  {:>9} rows  {:032x}  in the target", "", t.to.rows, t.to.checksum);
        }
    }
    println!("\n{} campaigns: {laws} laws looked at, on both sides.", copied.campaigns.len());
    if copied.differs.is_empty() {
        println!(
            "Everything is copied and the same. Set DATABASE_URL to the new database, and serve the old file no \
             more: both would call the same people."
        );
    }
}

fn told(copied: &Copied, laws: usize) -> Value {
    let tables = copied.tables.iter().map(|t| {
        json!({
            "table": t.table, "rows": t.from.rows, "rows_in_target": t.to.rows,
            "checksum": format!("{:032x}", t.from.checksum),
            "checksum_in_target": format!("{:032x}", t.to.checksum),
        })
    });
    json!({
        "copied": copied.differs.is_empty(), "differs": copied.differs, "laws": laws,
        "campaigns": copied.campaigns.len(), "tables": tables.collect::<Vec<_>>(),
    })
}
