//! `halo report --share`: a signed link to a report, made here by the database, elsewhere by the API of HALO_URL.

use super::figures::ReportArgs;
use super::there::There;
use super::{Failure, open, settings, who};
use halo::app::{installation_key, peek_clock};
use halo::config::Config;
use halo::http::address::encoded;
use halo::http::signed::{Wanted, make};
use halo::report::Lang;
use reqwest::Method;
use serde_json::{Value, json};

pub async fn run(args: ReportArgs) -> Result<(), Failure> {
    let config = settings()?;
    let lang = Lang::from(args.lang).as_str();
    let (made, base) = match There::of(&config)? {
        Some(there) => (asked(&there, &args, lang).await?, there.url().to_owned()),
        None => (here(&config, &args, lang).await?, address(&config)),
    };
    let url = format!("{}{}", base.trim_end_matches('/'), made["url"].as_str().unwrap_or_default());
    if args.as_json() {
        println!("{}", json!({ "url": url, "share": made }));
    } else {
        println!("{url}");
        eprintln!(
            "Good until {}; `DELETE /api/v1/shares/{}` takes it back.",
            text(&made, "expires_at"),
            text(&made, "id")
        );
    }
    Ok(())
}

fn text<'a>(made: &'a Value, field: &str) -> &'a str {
    made[field].as_str().unwrap_or_default()
}

async fn asked(there: &There, args: &ReportArgs, lang: &str) -> Result<Value, Failure> {
    let order = json!({ "days": args.days, "lang": lang });
    let path = format!("/api/v1/campaigns/{}/report/share", encoded(&args.campaign));
    there.ask(Method::POST, &path, Some(&order)).await?.1.map_err(Failure::refused)
}

async fn here(config: &Config, args: &ReportArgs, lang: &str) -> Result<Value, Failure> {
    let store = open(config).await?;
    let clock = peek_clock(&store).await?;
    let key = installation_key(&store).await?;
    let line = who::line(&store, "report.share", clock.now());
    let wanted = Wanted { days: Some(args.days), lang: Some(lang.to_owned()) };
    let made = make(&store, &key, &args.campaign, wanted, clock.wall(), line).await;
    store.close().await;
    Ok(made?)
}

/// Where the server of this database is reached, as far as its settings say.
fn address(config: &Config) -> String {
    config.backend_url.clone().unwrap_or_else(|| format!("http://{}", config.listen))
}
