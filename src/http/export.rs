//! Lists to take away, as CSV, NDJSON or a workbook: what the tables hold, nothing computed.
//!
//! The API and the command line read them in pieces; a list of a million rows is never in memory as a whole.
//! `docs/LISTS.md` tells the columns; new ones are added at the end.

mod back;
mod rejected;
pub mod sheet;
mod stamp;
mod workbook;

use super::doors::{Doors, get};
use super::{Problem, Web, media, talked};
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, Timestamp};
use crate::store::{AttemptRow, EventTime, ExportedTurn, Import, Store, TurnLatency};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::IntoResponse;
use back::Back;
use futures::stream;
use rejected::Rejected;
use serde::Deserialize;
use serde_json::{Value, json};
use sheet::{Format, Shape, Sheet};
use stamp::Stamp;
use std::collections::HashMap;
use std::sync::Arc;
use tracing::error;

/// Rows of a piece.
const PAGE: i64 = 1000;

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
    "planned_at",
    "ringing_ms",
    "ringing_heard_at",
    "connected_ms",
    "connected_heard_at",
    "machine_ms",
    "machine_heard_at",
    "opt_out_ms",
    "opt_out_heard_at",
    "disconnected_ms",
    "disconnected_heard_at",
    "failed_ms",
    "failed_heard_at",
    "not_dialled_ms",
    "not_dialled_heard_at",
];
/// Events whose times are told, in the order of their columns.
const EVENTS: [&str; 7] = ["Ringing", "Connected", "Machine", "OptOut", "Disconnected", "Failed", "NotDialled"];
const TURNS: &[&str] = &[
    "attempt",
    "contact",
    "turn",
    "mode",
    "callee_text",
    "agent_text",
    "callee_end_ms",
    "agent_start_ms",
    "turn_ms",
    "method",
    "asr_ms",
    "reply_ms",
    "model_ms",
    "tts_ms",
    "filler",
    "interrupted",
];
const NOTES: &[&str] = &["line", "field", "reason", "raw", "list"];
const SUPPRESSIONS: &[&str] = &["number", "since", "by", "reason"];

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Contacts,
    Attempts,
    /// Every reply of every attempt.
    Turns,
    /// Rows that were doubled or refused.
    Rejects,
    /// Cells of accepted rows that were left out, such as a faulty `phone2`.
    Notes,
}

impl What {
    pub const ALL: [What; 5] = [What::Contacts, What::Attempts, What::Turns, What::Rejects, What::Notes];

    pub fn as_str(self) -> &'static str {
        match self {
            What::Contacts => "contacts",
            What::Attempts => "attempts",
            What::Turns => "turns",
            What::Rejects => "rejects",
            What::Notes => "notes",
        }
    }
}

enum Kind {
    Contacts(CampaignId, Back),
    Attempts(CampaignId, Stamp),
    Turns(CampaignId),
    Rejects(Rejected),
    /// Of these lists, in their order.
    Notes(Vec<Import>),
    Suppressions,
}

/// A list on its way out.
pub struct Export {
    store: Store,
    kind: Kind,
    shape: Shape,
    sheet: Option<Sheet>,
    /// Where the piece before ended: a row's id or line, and what tells rows of one line apart.
    behind: (i64, i64),
    cell: String,
    over: bool,
}

/// A value, or nothing.
fn optional<T: serde::Serialize>(value: Option<T>) -> Value {
    json!(value)
}

fn at(value: Option<i64>) -> Value {
    json!(value.map(|ms| Timestamp(ms).to_string()))
}

impl Export {
    pub async fn of(store: &Store, what: What, campaign: &str, shape: Shape) -> Result<Self, Problem> {
        Export::of_list(store, what, campaign, None, shape).await
    }

    /// Rejects and notes of this list alone.
    pub async fn of_list(
        store: &Store,
        what: What,
        campaign: &str,
        list: Option<i64>,
        shape: Shape,
    ) -> Result<Self, Problem> {
        let row = store.find_campaign(campaign).await?;
        let campaign = row.campaign;
        let mut lists = store.imports(campaign).await?;
        if let Some(wanted) = list {
            if !matches!(what, What::Rejects | What::Notes) {
                return Err(Problem::bad("list: of rejects and notes alone"));
            }
            lists.retain(|import| import.ordinal == wanted);
            if lists.is_empty() {
                return Err(Problem::missing(format!("campaign `{}` has no list {wanted}", row.name)));
            }
        }
        let kind = match what {
            What::Contacts => Kind::Contacts(campaign, Back::of(store, &row).await?),
            What::Attempts => Kind::Attempts(campaign, Stamp::of(store, &row).await?),
            What::Turns => Kind::Turns(campaign),
            What::Rejects => Kind::Rejects(Rejected::of(store, &row, lists).await?),
            What::Notes => Kind::Notes(lists),
        };
        Ok(Export::new(store, kind, shape))
    }

    /// The whole suppression list, the newest first.
    pub fn suppressions(store: &Store, shape: Shape) -> Self {
        Export::new(store, Kind::Suppressions, shape)
    }

    fn new(store: &Store, kind: Kind, shape: Shape) -> Self {
        let behind = if matches!(kind, Kind::Suppressions) { (i64::MAX, i64::MAX) } else { (0, 0) };
        Export { store: store.clone(), kind, shape, sheet: None, behind, cell: String::new(), over: false }
    }

    fn header(&self) -> Vec<String> {
        let fixed = match &self.kind {
            Kind::Contacts(_, back) => return back.header(),
            Kind::Rejects(rejected) => return rejected.header(),
            Kind::Attempts(..) => &[ATTEMPTS, talked::COLUMNS, &stamp::COLUMNS].concat(),
            Kind::Turns(_) => TURNS,
            Kind::Notes(_) => NOTES,
            Kind::Suppressions => SUPPRESSIONS,
        };
        fixed.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The next rows, the header before the first ones; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        if self.over {
            return Ok(None);
        }
        let mut piece = Vec::new();
        let mut sheet = match self.sheet.take() {
            Some(sheet) => sheet,
            None => {
                let (sheet, begins) = Sheet::new(self.shape, self.header()).map_err(Problem::ours)?;
                piece = begins;
                sheet
            }
        };
        let rows = self.page().await?;
        self.over = rows.is_empty();
        piece.extend(sheet.rows(rows).map_err(Problem::ours)?);
        if self.over {
            piece.extend(sheet.end().map_err(Problem::ours)?);
        } else {
            self.sheet = Some(sheet);
        }
        // An empty piece would be taken for the end by whoever sends it.
        Ok(Some(piece).filter(|piece| !piece.is_empty() || !self.over))
    }

    async fn page(&mut self) -> Result<Vec<Vec<Value>>, Problem> {
        let mut rows = Vec::new();
        match &mut self.kind {
            Kind::Contacts(campaign, back) => {
                let page = self.store.listed_rows(*campaign, self.behind.0, PAGE).await?;
                let ids: Vec<i64> = page.iter().map(|row| row.contact_id).collect();
                let further = self.store.further_as_typed(&ids).await?;
                let further: HashMap<_, _> =
                    further.into_iter().map(|row| ((row.contact_id, row.ordinal), row.raw_phone)).collect();
                for row in page {
                    self.behind.0 = row.contact_id;
                    rows.push(back.row(row, &further));
                }
            }
            Kind::Attempts(campaign, stamp) => {
                let page = self.store.attempts(*campaign, self.behind.0, PAGE).await?;
                let with_turns: Vec<i64> = page.iter().filter(|row| row.turns > 0).map(|row| row.attempt_id).collect();
                let turns = self.store.turn_latencies(&with_turns).await?;
                let ids: Vec<i64> = page.iter().map(|row| row.attempt_id).collect();
                let times = self.store.event_times(&ids).await?;
                let dialogue = self.store.talked(&ids).await?;
                let streams = self.store.media_streams(&ids).await?;
                for row in page {
                    let id = row.attempt_id;
                    self.behind.0 = id;
                    let of = |from: &dyn Fn(i64) -> usize| (from(id), from(id + 1));
                    let (from, to) = of(&|id| turns.partition_point(|turn| turn.attempt_id < id));
                    let (first, last) = of(&|id| times.partition_point(|time| time.attempt_id < id));
                    let (begin, end) = of(&|id| dialogue.partition_point(|turn| turn.attempt_id < id));
                    let told = stamp.cells(row.call_source.clone(), row.opted_out == 1);
                    let mut cells = attempt(row, &turns[from..to], &times[first..last]);
                    let (open, over) = of(&|id| streams.partition_point(|stream| stream.attempt_id < id));
                    cells.extend(match &streams[open..over] {
                        [] => talked::cells(&dialogue[begin..end]),
                        streams => media::cells(streams),
                    });
                    cells.extend(told);
                    rows.push(cells);
                }
            }
            Kind::Turns(campaign) => {
                for row in self.store.exported_turns(*campaign, self.behind, PAGE).await? {
                    self.behind = (row.attempt_id, row.turn);
                    rows.push(turn(row));
                }
            }
            Kind::Rejects(rejected) => {
                while let Some(list) = rejected.list() {
                    for row in self.store.reject_page(list, self.behind.0, PAGE).await? {
                        self.behind.0 = row.line;
                        rows.push(rejected.row(row));
                    }
                    if !rows.is_empty() {
                        break;
                    }
                    rejected.next_list();
                    self.behind = (0, 0);
                }
            }
            Kind::Notes(lists) => {
                while let Some(list) = lists.first() {
                    for row in self.store.note_page(list.batch, (self.behind.0, &self.cell), PAGE).await? {
                        self.behind.0 = row.line;
                        self.cell.clone_from(&row.field);
                        rows.push(vec![
                            json!(row.line),
                            json!(row.field),
                            json!(row.reason),
                            json!(row.raw),
                            json!(list.ordinal),
                        ]);
                    }
                    if !rows.is_empty() {
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
                    let (by, reason) = (optional(row.suppressed_by), optional(row.suppressed_reason));
                    rows.push(vec![json!(row.e164), json!(since), by, reason]);
                }
            }
        }
        Ok(rows)
    }

    /// The answer to whoever asks over HTTP. Once it has begun, all that can be told of a fault is that it breaks off.
    pub(super) fn answer(self, name: &str) -> impl IntoResponse + use<> {
        let format = self.shape.format;
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, format.content_type())]);
        if format == Format::Xlsx
            && let Ok(named) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.xlsx\""))
        {
            headers.insert(CONTENT_DISPOSITION, named);
        }
        let pieces = stream::try_unfold(self, |mut export| async move {
            let piece = export.piece().await.map_err(|cause| {
                error!("An export breaks off: {}", cause.detail);
                std::io::Error::other(cause.detail)
            })?;
            Ok::<_, std::io::Error>(piece.map(|piece| (piece, export)))
        });
        (headers, Body::from_stream(pieces))
    }
}

fn turn(row: ExportedTurn) -> Vec<Value> {
    vec![
        json!(AttemptId(row.attempt_id)),
        json!(ContactId(row.contact_id)),
        json!(row.turn),
        json!(row.mode),
        optional(row.callee_text),
        optional(row.agent_text),
        optional(row.callee_end_ms),
        optional(row.agent_start_ms),
        optional(row.turn_ms),
        json!(row.method),
        optional(row.asr_ms),
        optional(row.reply_ms),
        optional(row.model_ms),
        optional(row.tts_ms),
        json!(row.filler == 1),
        json!(row.interrupted == 1),
    ]
}

fn attempt(row: AttemptRow, turns: &[TurnLatency], times: &[EventTime]) -> Vec<Value> {
    let latencies: Vec<String> =
        turns.iter().map(|turn| turn.turn_ms.map(|ms| ms.to_string()).unwrap_or_default()).collect();
    let methods: Vec<&str> = turns.iter().map(|turn| turn.method.as_str()).collect();
    let mut cells = vec![
        json!(AttemptId(row.attempt_id)),
        json!(RunId(row.run_id)),
        json!(row.run_ordinal),
        json!(ContactId(row.contact_id)),
        json!(row.line),
        json!(row.e164),
        json!(row.try_number),
        json!(row.mode),
        json!(row.own_mode == 1),
        optional(row.caller_id),
        json!(row.state),
        at(row.claimed_at),
        at(row.dialed_at),
        at(row.ended_at),
        at(row.callback_at),
        optional(row.outcome),
        optional(row.evidence),
        optional(row.session_id.map(|id| id.to_string())),
        optional(row.code),
        optional(row.reason),
        optional(row.hung_up_by),
        optional(row.goal.map(|goal| goal == 1)),
        optional(row.answers.map(|text| serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text)))),
        optional(row.fault),
        optional(row.machine.map(|machine| machine == 1)),
        optional(row.answer_ms),
        optional(row.ring_ms),
        optional(row.first_audio_ms),
        optional(row.first_audio_method),
        optional(row.talk_ms),
        optional(row.cost_micros),
        json!(row.turns),
        json!(row.turns_answered),
        json!(latencies.join(";")),
        json!(methods.join(";")),
        at(times.first().map(|time| time.planned_at)),
    ];
    for event in EVENTS {
        let time = times.iter().find(|time| time.event.as_deref() == Some(event));
        cells.extend([optional(time.and_then(|time| time.at_ms)), at(time.and_then(|time| time.heard_at))]);
    }
    cells
}

/// `?delimiter=semicolon&mark=true`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    delimiter: Option<String>,
    #[serde(default)]
    mark: bool,
    /// Rejects and notes of this list alone, counted from 1.
    list: Option<i64>,
}

impl Wish {
    pub fn shape(&self, format: Format) -> Result<Shape, Problem> {
        Shape::said(format, self.delimiter.as_deref(), self.mark).map_err(|why| Problem::refused(why, Vec::new()))
    }
}

pub(super) async fn list(
    web: Arc<Web>,
    what: What,
    format: Format,
    campaign: String,
    wish: Wish,
) -> Result<impl IntoResponse, Problem> {
    let export = Export::of_list(&web.store, what, &campaign, wish.list, wish.shape(format)?).await?;
    Ok(export.answer(what.as_str()))
}

/// `/campaigns/{campaign}/contacts.csv` and its like.
pub(super) fn routes(mut router: Doors) -> Doors {
    for what in What::ALL {
        for format in Format::ALL {
            let path = format!("/campaigns/{{campaign}}/{}.{}", what.as_str(), format.as_str());
            let handler = move |State(web): State<Arc<Web>>, Path(campaign): Path<String>, Query(wish): Query<Wish>| {
                list(web, what, format, campaign, wish)
            };
            router = router.route(&path, get(handler));
        }
    }
    for format in Format::ALL {
        let handler = move |State(web): State<Arc<Web>>, Query(wish): Query<Wish>| async move {
            Ok::<_, Problem>(Export::suppressions(&web.store, wish.shape(format)?).answer("suppressions"))
        };
        router = router.route(&format!("/suppressions.{}", format.as_str()), get(handler));
    }
    router
}
