//! A campaign cut by something that its rows or its calls say: read when somebody asks, from the calls themselves.

use super::{Result, Store};
use crate::domain::CampaignId;

/// By what contacts are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A column of the list.
    Column(String),
    /// The list that brought the contact.
    List,
    Zone,
    CallerId,
    /// The quarter of an hour in which somebody was dialled: hours of the day in any zone.
    Quarter,
    /// All in one.
    Whole,
}

impl Dimension {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Dimension::Column(_) => "column",
            Dimension::List => "list",
            Dimension::Zone => "zone",
            Dimension::CallerId => "caller_id",
            Dimension::Quarter => "quarter",
            Dimension::Whole => "",
        }
    }

    pub(super) fn column(&self) -> &str {
        match self {
            Dimension::Column(name) => name,
            _ => "",
        }
    }
}

/// Which attempts: those at an account that were dialled within a span of unix milliseconds.
#[derive(Clone, Debug)]
pub struct Cut {
    pub campaign: CampaignId,
    pub account: i64,
    pub by: Dimension,
    pub from: i64,
    pub until: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SlicedContacts {
    pub label: String,
    pub mode: String,
    pub dialled: i64,
    pub reached: i64,
    pub goals: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SlicedMedian {
    pub label: String,
    pub mode: String,
    pub half_ms: i64,
    pub n: i64,
}

/// One turn that was waited for long.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SlowTurn {
    pub night: i64,
    pub mode: String,
    pub attempt_id: i64,
    pub turn: i64,
    pub turn_ms: Option<i64>,
    pub method: String,
    pub asr_ms: Option<i64>,
    pub reply_ms: Option<i64>,
    pub model_ms: Option<i64>,
    pub tts_ms: Option<i64>,
    pub filler: i64,
    pub interrupted: i64,
}

/// Of which cell somebody wants to see the calls; empty and 0 stand for all.
#[derive(Clone, Debug, Default)]
pub struct Behind {
    pub label: String,
    pub mode: String,
    pub night: i64,
    pub limit: i64,
}

impl Store {
    pub async fn slices(&self, cut: &Cut) -> Result<(Vec<SlicedContacts>, Vec<SlicedMedian>)> {
        Ok((read!(self, slices::contacts(cut))?, read!(self, slices::medians(cut))?))
    }

    /// The turns behind a cell, the longest waits first.
    pub async fn slowest_turns(&self, cut: &Cut, behind: &Behind) -> Result<Vec<SlowTurn>> {
        read!(self, slices::slowest(cut, behind))
    }
}
