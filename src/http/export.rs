//! Lists to take away, as CSV: what the tables hold, nothing computed.
//!
//! The API and the command line read them in pieces; a list of a million rows is never in memory as a whole.

use super::campaigns::CSV;
use super::{Problem, Web};
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, Timestamp};
use crate::intake::rejects::guard;
use crate::store::{AttemptRow, ContactRow, Import, Store, TurnLatency};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use futures::stream;
use std::sync::Arc;
use tracing::error;

/// Rows of a piece.
const PAGE: i64 = 1000;

const CONTACTS: &[&str] = &[
    "contact",
    "line",
    "number",
    "name",
    "external_id",
    "mode",
    "own_mode",
    "timezone",
    "consent_kind",
    "consent_at",
    "consent_source",
    "disposition",
    "tries",
    "due_at",
    "gate",
    "suppressed",
];
const ATTEMPTS: &[&str] = &[
    "attempt",
    "run",
    "night",
    "contact",
    "line",
    "number",
    "try",
    "mode",
    "own_mode",
    "caller_id",
    "state",
    "claimed_at",
    "dialed_at",
    "ended_at",
    "callback_at",
    "outcome",
    "evidence",
    "session_id",
    "code",
    "reason",
    "hung_up_by",
    "goal",
    "answers",
    "fault",
    "machine",
    "answer_ms",
    "ring_ms",
    "first_audio_ms",
    "first_audio_method",
    "talk_ms",
    "cost_micros",
    "turns",
    "turns_answered",
    "turn_ms",
    "turn_methods",
];
const REJECTS: &[&str] = &["line", "bucket", "field", "reason", "raw"];
const NOTES: &[&str] = &["line", "field", "reason", "raw"];
const SUPPRESSIONS: &[&str] = &["number", "since", "by", "reason"];

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Contacts,
    Attempts,
    /// Rows that were doubled or refused.
    Rejects,
    /// Cells of accepted rows that were left out, such as a faulty `phone2`.
    Notes,
}

enum Kind {
    Contacts(CampaignId),
    Attempts(CampaignId),
    /// Of these lists, in their order.
    Rejects(Vec<Import>),
    Notes(Vec<Import>),
    Suppressions,
}

/// A list on its way out.
pub struct Export {
    store: Store,
    kind: Kind,
    /// Where the piece before ended: a row's id or line, and what tells rows of one line apart.
    behind: (i64, i64),
    cell: String,
    begun: bool,
    over: bool,
}

/// Rows of cells to CSV; a cell that a spreadsheet would run is guarded.
struct Table {
    writer: csv::Writer<Vec<u8>>,
    rows: usize,
}

impl Table {
    fn row<const N: usize>(&mut self, cells: [String; N]) -> Result<(), Problem> {
        self.rows += 1;
        self.writer.write_record(cells.iter().map(|cell| guard(cell))).map_err(Problem::ours)
    }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn at(value: Option<i64>) -> String {
    text(value.map(Timestamp))
}

impl Export {
    pub async fn of(store: &Store, what: What, campaign: &str) -> Result<Self, Problem> {
        let campaign = store.find_campaign(campaign).await?.campaign;
        let kind = match what {
            What::Contacts => Kind::Contacts(campaign),
            What::Attempts => Kind::Attempts(campaign),
            What::Rejects => Kind::Rejects(store.imports(campaign).await?),
            What::Notes => Kind::Notes(store.imports(campaign).await?),
        };
        Ok(Export::new(store, kind))
    }

    /// The whole suppression list, the newest first.
    pub fn suppressions(store: &Store) -> Self {
        Export::new(store, Kind::Suppressions)
    }

    fn new(store: &Store, kind: Kind) -> Self {
        let behind = if matches!(kind, Kind::Suppressions) { (i64::MAX, i64::MAX) } else { (0, 0) };
        Export { store: store.clone(), kind, behind, cell: String::new(), begun: false, over: false }
    }

    /// The next rows, the header before the first ones; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        if self.over {
            return Ok(None);
        }
        let mut table = Table { writer: csv::Writer::from_writer(Vec::new()), rows: 0 };
        if !self.begun {
            let header = match self.kind {
                Kind::Contacts(_) => CONTACTS,
                Kind::Attempts(_) => ATTEMPTS,
                Kind::Rejects(_) => REJECTS,
                Kind::Notes(_) => NOTES,
                Kind::Suppressions => SUPPRESSIONS,
            };
            table.writer.write_record(header).map_err(Problem::ours)?;
            self.begun = true;
        }
        self.page(&mut table).await?;
        self.over = table.rows == 0;
        let piece = table.writer.into_inner().map_err(Problem::ours)?;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    async fn page(&mut self, table: &mut Table) -> Result<(), Problem> {
        match &mut self.kind {
            Kind::Contacts(campaign) => {
                for row in self.store.contacts(*campaign, self.behind.0, PAGE).await? {
                    self.behind.0 = row.contact_id;
                    table.row(contact(row))?;
                }
            }
            Kind::Attempts(campaign) => {
                let page = self.store.attempts(*campaign, self.behind.0, PAGE).await?;
                let talked: Vec<i64> = page.iter().filter(|row| row.turns > 0).map(|row| row.attempt_id).collect();
                let turns = self.store.turn_latencies(&talked).await?;
                for row in page {
                    self.behind.0 = row.attempt_id;
                    let from = turns.partition_point(|turn| turn.attempt_id < row.attempt_id);
                    let to = turns.partition_point(|turn| turn.attempt_id <= row.attempt_id);
                    table.row(attempt(row, &turns[from..to]))?;
                }
            }
            Kind::Rejects(lists) => {
                while let Some(list) = lists.first() {
                    for row in self.store.reject_page(list.batch, self.behind.0, PAGE).await? {
                        self.behind.0 = row.line;
                        table.row([row.line.to_string(), row.bucket, row.field, row.reason, row.raw])?;
                    }
                    if table.rows > 0 {
                        break;
                    }
                    lists.remove(0);
                    self.behind = (0, 0);
                }
            }
            Kind::Notes(lists) => {
                while let Some(list) = lists.first() {
                    for row in self.store.note_page(list.batch, (self.behind.0, &self.cell), PAGE).await? {
                        self.behind.0 = row.line;
                        self.cell.clone_from(&row.field);
                        table.row([row.line.to_string(), row.field, row.reason, row.raw])?;
                    }
                    if table.rows > 0 {
                        break;
                    }
                    lists.remove(0);
                    (self.behind, self.cell) = ((0, 0), String::new());
                }
            }
            Kind::Suppressions => {
                for row in self.store.suppressed_page(Some(self.behind), None, PAGE).await? {
                    self.behind = (row.suppressed_at, row.number_id);
                    let since = Timestamp(row.suppressed_at).to_string();
                    table.row([row.e164, since, text(row.suppressed_by), text(row.suppressed_reason)])?;
                }
            }
        }
        Ok(())
    }

    /// The answer to whoever asks over HTTP. Once it has begun, all that can be told of a fault is that it breaks off.
    pub(super) fn answer(self) -> impl IntoResponse + use<> {
        let pieces = stream::try_unfold(self, |mut export| async move {
            let piece = export.piece().await.map_err(|cause| {
                error!("An export breaks off: {}", cause.detail);
                std::io::Error::other(cause.detail)
            })?;
            Ok::<_, std::io::Error>(piece.map(|piece| (piece, export)))
        });
        ([CSV], Body::from_stream(pieces))
    }
}

fn contact(row: ContactRow) -> [String; 16] {
    [
        ContactId(row.contact_id).to_string(),
        row.line.to_string(),
        row.e164,
        text(row.name),
        text(row.external_id),
        row.mode,
        (row.own_mode == 1).to_string(),
        text(row.timezone),
        text(row.consent_kind),
        at(row.consent_at),
        text(row.consent_source),
        text(row.disposition),
        row.tries.to_string(),
        at(row.due_at),
        text(row.gate),
        row.suppressed_at.is_some().to_string(),
    ]
}

fn attempt(row: AttemptRow, turns: &[TurnLatency]) -> [String; 35] {
    let latencies: Vec<String> = turns.iter().map(|turn| text(turn.turn_ms)).collect();
    let methods: Vec<&str> = turns.iter().map(|turn| turn.method.as_str()).collect();
    [
        AttemptId(row.attempt_id).to_string(),
        RunId(row.run_id).to_string(),
        row.run_ordinal.to_string(),
        ContactId(row.contact_id).to_string(),
        row.line.to_string(),
        row.e164,
        row.try_number.to_string(),
        row.mode,
        (row.own_mode == 1).to_string(),
        text(row.caller_id),
        row.state,
        at(row.claimed_at),
        at(row.dialed_at),
        at(row.ended_at),
        at(row.callback_at),
        text(row.outcome),
        text(row.evidence),
        text(row.session_id),
        text(row.code),
        text(row.reason),
        text(row.hung_up_by),
        text(row.goal.map(|g| g == 1)),
        text(row.answers),
        text(row.fault),
        text(row.machine.map(|m| m == 1)),
        text(row.answer_ms),
        text(row.ring_ms),
        text(row.first_audio_ms),
        text(row.first_audio_method),
        text(row.talk_ms),
        text(row.cost_micros),
        row.turns.to_string(),
        row.turns_answered.to_string(),
        latencies.join(";"),
        methods.join(";"),
    ]
}

async fn answer(web: &Web, what: What, campaign: &str) -> Result<impl IntoResponse + use<>, Problem> {
    Ok(Export::of(&web.store, what, campaign).await?.answer())
}

pub(super) async fn rejects(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, What::Rejects, &campaign).await
}

pub(super) async fn notes(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, What::Notes, &campaign).await
}

pub(super) async fn contacts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, What::Contacts, &campaign).await
}

pub(super) async fn attempts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    answer(&web, What::Attempts, &campaign).await
}
