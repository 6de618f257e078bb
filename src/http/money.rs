//! What a run has spent, for whoever asks.

use super::{Problem, Web};
use crate::dialer::DialerError;
use crate::domain::Timestamp;
use crate::domain::budget::{Counter, day_of};
use crate::domain::money::MICROS;
use crate::store::Run;
use serde::Serialize;

/// Amounts in units of the currency.
#[derive(Serialize)]
pub(super) struct BudgetView {
    currency: String,
    /// The run's own; null where only the day has a limit.
    limit: Option<f64>,
    spent: f64,
    reserved: f64,
    day: DayView,
}

/// Today, over all runs of the campaign.
#[derive(Serialize)]
struct DayView {
    limit: Option<f64>,
    spent: f64,
    reserved: f64,
    /// When the next one begins.
    next_at: Timestamp,
}

fn units(micros: i64) -> f64 {
    micros as f64 / MICROS as f64
}

pub(super) async fn budget(web: &Web, run: &Run) -> Result<Option<BudgetView>, Problem> {
    // A campaign that cannot be read any more is shown without it.
    let rules = match web.dialer.rules(run.campaign).await {
        Err(DialerError::Rules { .. }) => return Ok(None),
        rules => rules?,
    };
    let settings = &rules.settings;
    let Some(money) = web.dialer.money(run.run, run.campaign, settings).await? else { return Ok(None) };
    let shown = |counter: Counter| (units(counter.spent), units(counter.reserved));
    let ((spent, reserved), day) = (shown(money.run), shown(money.day));
    Ok(Some(BudgetView {
        currency: web.dialer.currency(),
        limit: settings.budget.run.map(units),
        spent,
        reserved,
        day: DayView {
            limit: settings.budget.day.map(units),
            spent: day.0,
            reserved: day.1,
            next_at: day_of(settings.timezone, web.clock.now()).1,
        },
    }))
}
