//! What a start by hand may say of whom it calls.

use super::Problem;
use crate::domain::Outcome;
use crate::store::{Of, Only};
use serde::Deserialize;

/// `{"outcomes": ["network_error"], "run": "last"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnlyBody {
    outcomes: Vec<String>,
    #[serde(default)]
    run: Option<String>,
}

impl OnlyBody {
    pub(super) fn only(&self) -> Result<Only, Problem> {
        let of =
            self.run.as_deref().unwrap_or("last").parse().map_err(|why| Problem::bad(format!("only.run: {why}")))?;
        only(&self.outcomes, of).map_err(|why| Problem::bad(format!("only.outcomes: {why}")))
    }
}

/// The outcomes by name, as the API and the command line take them.
pub fn only(names: &[String], of: Of) -> Result<Only, String> {
    let known = || Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(", ");
    let read = |name: &String| name.trim().parse::<Outcome>().map_err(|cause| format!("{cause}; known: {}", known()));
    let outcomes: Vec<Outcome> = names.iter().map(read).collect::<Result<_, _>>()?;
    if outcomes.is_empty() {
        return Err("name at least one outcome".to_owned());
    }
    Ok(Only { outcomes, of })
}
