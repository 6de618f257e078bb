//! Slices: the figures by a column of the list, by hour, zone, list or caller id. Exploratory: nothing here decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Mode, Timestamp};
use crate::store::Result;
use crate::store::slices::{Behind, Cut, Dimension, SlowTurn};
use crate::store::{Store, StoreError};

use super::arms::call_latency;
use super::intervals::rate;
use super::model::{Latency, Rate, Text};
use super::stats::bootstrap::Sample;

pub const SCHEMA: &str = "halo-slices/1";
/// Slices told at most, the largest first; a column of names would be a list of people.
pub const SLICES_MAX: usize = 100;
/// A slice of fewer contacts is a handful of people, and is told as part of the rest.
pub const CONTACTS_MIN: u64 = 3;
/// Turns behind a cell.
pub const SLOWEST: i64 = 10;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Slices {
    pub schema: String,
    pub caution: Text,
    pub notice: Option<Text>,
    pub by: String,
    /// Something else was played before, and is left out unless it is asked for by `from`.
    #[serde(default)]
    pub since: Option<Timestamp>,
    pub slices: Vec<Slice>,
    /// Contacts of slices that are not told.
    pub left_out: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Slice {
    pub label: String,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cell {
    pub mode: Mode,
    pub dialled: u64,
    pub reach_rate: Rate,
    pub success_rate: Rate,
    pub call_turn_ms: Latency,
    /// Where the calls behind it are told, the slowest turns first.
    pub calls: String,
}

/// By what somebody wants it cut; of hours the quarter's place in the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    Dimension(Dimension),
    Hour,
}

impl By {
    /// `column:city`, `list`, `zone`, `caller_id`, `hour`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.split_once(':') {
            Some(("column", name)) if !name.is_empty() => By::Dimension(Dimension::Column(name.to_owned())),
            Some(_) => return None,
            None => match text {
                "list" => By::Dimension(Dimension::List),
                "zone" => By::Dimension(Dimension::Zone),
                "caller_id" => By::Dimension(Dimension::CallerId),
                "hour" => By::Hour,
                _ => return None,
            },
        })
    }

    pub fn dimension(&self) -> Dimension {
        match self {
            By::Dimension(dimension) => dimension.clone(),
            By::Hour => Dimension::Quarter,
        }
    }
}

/// What is added up for one cell.
#[derive(Default)]
struct Sums {
    dialled: u64,
    reached: u64,
    goals: u64,
    medians: Vec<f64>,
}

/// `label` says a row's slice as people read it; `link` where the calls of a cell are told.
pub async fn slices(
    store: &Store,
    cut: &Cut,
    by: &str,
    notice: Option<Text>,
    label: impl Fn(&str) -> String,
    link: impl Fn(&str, &str) -> String,
) -> Result<Slices> {
    let (contacts, medians) = store.slices(cut).await?;
    let mut found: BTreeMap<String, BTreeMap<String, Sums>> = BTreeMap::new();
    for row in contacts {
        let sums = found.entry(label(&row.label)).or_default().entry(row.mode).or_default();
        sums.dialled += row.dialled.unsigned_abs();
        sums.reached += row.reached.unsigned_abs();
        sums.goals += row.goals.unsigned_abs();
    }
    for row in medians {
        let sums = found.entry(label(&row.label)).or_default().entry(row.mode).or_default();
        sums.medians.extend(std::iter::repeat_n(row.half_ms as f64 / 2.0, row.n.unsigned_abs() as usize));
    }
    let size = |modes: &BTreeMap<String, Sums>| modes.values().map(|sums| sums.dialled).sum::<u64>();
    let mut all: Vec<(String, BTreeMap<String, Sums>)> = found.into_iter().collect();
    all.sort_by_key(|(_, modes)| std::cmp::Reverse(size(modes)));
    let kept = all.iter().take(SLICES_MAX).take_while(|(_, modes)| size(modes) >= CONTACTS_MIN).count();
    let left_out = all[kept..].iter().map(|(_, modes)| size(modes)).sum();
    all.truncate(kept);
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let slice = |(label, modes): (String, BTreeMap<String, Sums>)| {
        let cell = |(mode, sums): (String, Sums)| {
            Ok(Cell {
                calls: link(&label, &mode),
                mode: mode.parse().map_err(|e| StoreError::row("attempts", "mode", e))?,
                dialled: sums.dialled,
                reach_rate: rate(sums.reached, sums.dialled),
                success_rate: rate(sums.goals, sums.reached),
                call_turn_ms: call_latency("call_turn_ms", &Sample::collect([sums.medians])),
            })
        };
        let cells = modes.into_iter().map(cell).collect::<Result<Vec<Cell>>>()?;
        Ok(Slice { label, cells })
    };
    Ok(Slices {
        schema: SCHEMA.to_owned(),
        caution: Text::new(
            "exploratory: many slices are looked at and nothing is corrected for it; no verdict follows from one",
            "разведочно: срезов много, поправки на это нет; вывода из среза не следует",
        ),
        notice,
        by: by.to_owned(),
        since: None,
        slices: all.into_iter().map(slice).collect::<Result<_>>()?,
        left_out,
    })
}

/// The turns behind a cell, the longest waits first.
pub async fn slowest(store: &Store, cut: &Cut, behind: Behind) -> Result<Vec<SlowTurn>> {
    store.slowest_turns(cut, &Behind { limit: SLOWEST, ..behind }).await
}
