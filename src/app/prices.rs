//! The prices that hold here: a `prices.toml` in the working directory, else the one in the program.

use crate::clock::{Anchor, Clock};
use crate::config::{Config, DialogBase};
use crate::doctor::{Finding, prices as judged};
use crate::domain::money::{Models, Prices};
use crate::intake;
use anyhow::{Context, Result};
use std::path::Path;

const FILE: &str = "prices.toml";

pub fn prices() -> Result<Prices> {
    match std::fs::read_to_string(Path::new(FILE)) {
        Ok(text) => intake::prices::parse(&text).map_err(|faults| anyhow::anyhow!("{FILE}: {faults}")),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(intake::prices::shipped()),
        Err(cause) => Err(cause).context(FILE),
    }
}

/// The models that calls use, for what they cost.
pub fn models(config: &Config) -> Models {
    let replier = config.model.as_ref().filter(|_| config.dialog != DialogBase::Off).map(|model| model.name.clone());
    Models { realtime: config.openai_realtime_model.clone(), replier }
}

/// What the doctor says of them, by the wall's clock.
pub fn prices_found() -> Finding {
    let today = Clock::running(Anchor::here(1.0)).wall();
    judged(&prices().map_err(|cause| format!("{cause:#}")), today)
}
