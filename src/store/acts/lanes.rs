//! The runs of one plan, each a lane with a pace of its own, on the one lane of their account.
//!
//! Slots are given in the order of their time, whosever they are: a run that starts a call every few seconds would
//! otherwise push the account's lane ahead to its own slot, and what lies before would be lost to the others. What is
//! decided is written at the end, for all runs at once.

use super::super::Conn;
use super::super::pipeline::{self, typed};
use super::alternates;
use super::caps;
use crate::domain::alternates::Line;
use crate::domain::callers::CallerUses;
use crate::domain::caps::HISTORY_MS;
use crate::domain::{AttemptId, ContactId, NumberId, Outcome, RunContactId, Timestamp};
use crate::store::rows::{Account, Leased, OpenRun, Placement, PlanOrder, Planned};
use crate::store::text::{Question, Statement};
use crate::store::{Result, StoreError, term};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Contacts of one run that one plan looks at: the transaction holds the account's row meanwhile.
const LOOKED_AT_MAX: usize = 2000;

#[derive(sqlx::FromRow, serde::Deserialize)]
struct LeasedRow {
    run_contact_id: i64,
    contact_id: i64,
    number_id: i64,
    mode: String,
    e164: String,
    timezone: Option<String>,
    suppressed_at: Option<i64>,
    allow_listed_at: Option<i64>,
    consented: i64,
    planned: Option<i64>,
    tries_made: i64,
    caller_id: Option<String>,
    alternates: i64,
    not_before_at: Option<i64>,
    not_after_at: Option<i64>,
}

impl LeasedRow {
    fn leased(self, lines: Vec<Line>) -> Result<Leased> {
        Ok(Leased {
            run_contact: RunContactId(self.run_contact_id),
            contact: ContactId(self.contact_id),
            number: NumberId(self.number_id),
            mode: self.mode.parse().map_err(|e| StoreError::row("run_contacts", "mode", e))?,
            to: self.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?,
            timezone: self
                .timezone
                .map(|zone| zone.parse().map_err(|e| StoreError::row("contacts", "timezone", e)))
                .transpose()?,
            suppressed: self.suppressed_at.is_some(),
            allow_listed: self.allow_listed_at.is_some(),
            consented: self.consented == 1,
            planned: self.planned.map(AttemptId),
            tries_made: self.tries_made,
            caller_id: self
                .caller_id
                .map(|id| id.parse().map_err(|e| StoreError::row("attempts", "caller_id", e)))
                .transpose()?,
            history: Vec::new(),
            term: term(self.not_before_at, self.not_after_at),
            lines,
        })
    }
}

/// A run on its way through one plan.
pub struct Lane {
    pub run: OpenRun,
    /// Slots that it may still get.
    left: usize,
    leased: VecDeque<Leased>,
    looked_at: usize,
    /// How many are leased next: those that are parked or rest take no slot, and more are needed than one thought.
    batch: usize,
    /// Nobody else's turn has come.
    dry: bool,
}

impl Lane {
    pub fn of(run: OpenRun, want: usize) -> Self {
        Lane { run, left: want, leased: VecDeque::new(), looked_at: 0, batch: 0, dry: false }
    }

    fn is_done(&self) -> bool {
        self.left == 0 || (self.leased.is_empty() && (self.dry || self.looked_at >= LOOKED_AT_MAX))
    }

    /// Slots that it may get as things stand now.
    fn wants(&self, order: &PlanOrder, account: &Account, callers: &CallerUses, lines_held: i64) -> usize {
        match order.planner.want(account, lines_held, &self.run).min(self.left) {
            0 => 0,
            want => order.planner.carried(account, &self.run, callers, want),
        }
    }

    /// Due contacts of the run, leased until their slots are known.
    async fn lease(&mut self, conn: &mut Conn, order: &PlanOrder, want: usize) -> Result<()> {
        self.batch = if self.batch == 0 { want } else { self.batch * 4 }.min(LOOKED_AT_MAX - self.looked_at);
        let mut leased = lease(conn, order, &self.run, self.batch).await?;
        if order.planner.counts_calls(&self.run) {
            histories(conn, order.now, &mut leased).await?;
        }
        self.looked_at += leased.len();
        self.dry = leased.len() < self.batch;
        self.leased = leased.into();
        Ok(())
    }
}

/// Gives slots until the account, its lines or the contacts are used up.
pub async fn fill(
    conn: &mut Conn,
    order: &PlanOrder,
    account: &mut Account,
    callers: &mut CallerUses,
    lanes: &mut [Lane],
    mut lines_held: i64,
) -> Result<Vec<Planned>> {
    let (mut written, mut last) = (Written::default(), 0);
    loop {
        // Of those that could go at once, whoever is at it goes on; then whoever dialled longest ago.
        let next = |(at, lane): &(usize, &Lane)| {
            (order.planner.next_us(account, &lane.run, callers, lane.leased.front()), *at != last, *at)
        };
        let Some((at, _)) = lanes.iter().enumerate().filter(|(_, lane)| !lane.is_done()).min_by_key(next) else {
            break;
        };
        last = at;
        let lane = &mut lanes[at];
        let want = lane.wants(order, account, callers, lines_held);
        if want == 0 {
            lane.left = 0;
            continue;
        }
        let Some(contact) = lane.leased.pop_front() else {
            lane.lease(conn, order, want).await?;
            continue;
        };
        match order.planner.place(account, &mut lane.run, callers, &contact) {
            Placement::Short => {
                written.spared.push(contact.run_contact.0);
                lane.left = 0;
            }
            placement => {
                if matches!(placement, Placement::Slot { .. }) {
                    lane.left -= 1;
                    lane.run.lines_held += 1;
                    lines_held += 1;
                }
                written.note(order, &lane.run, contact, placement);
            }
        }
    }
    let spared = lanes.iter().flat_map(|lane| &lane.leased).map(|contact| contact.run_contact.0);
    written.spared.extend(spared);
    written.apply(conn, order.now).await
}

async fn lease(conn: &mut Conn, order: &PlanOrder, run: &OpenRun, contacts: usize) -> Result<Vec<Leased>> {
    let first = order.planner.order(run).as_str();
    let ids: Vec<i64> = sqlx::query_scalar(sql!("lease_due"))
        .bind(run.run.0)
        .bind(order.lease_until.0)
        .bind(order.now.0)
        .bind(contacts as i64)
        .bind(first)
        .fetch_all(&mut *conn)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = json!({ "ids": ids, "first": first }).to_string();
    let [answer] = pipeline::ask(conn, [Question::with::<LeasedRow>(sql!("leased_contacts"), wanted)]).await?;
    let rows: Vec<LeasedRow> = typed(answer)?;
    let several: Vec<_> =
        rows.iter().filter(|row| row.alternates > 0).map(|row| RunContactId(row.run_contact_id)).collect();
    let mut lines = alternates::lines(conn, &several).await?;
    rows.into_iter()
        .map(|row| {
            let own = lines.remove(&row.run_contact_id).unwrap_or_default();
            row.leased(own.into_iter().map(|(line, _)| line).collect())
        })
        .collect()
}

/// What caps and gaps are held against: of the number that is next, and of the contact's others.
async fn histories(conn: &mut Conn, now: Timestamp, leased: &mut [Leased]) -> Result<()> {
    let since = now.plus_ms(-HISTORY_MS);
    let numbers = |contact: &Leased| {
        let lines = contact.lines.iter().map(|line| line.number.0);
        std::iter::once(contact.number.0).chain(lines).collect::<Vec<_>>()
    };
    let numbers = leased.iter().flat_map(numbers);
    let wanted: Vec<caps::Of> = (0..).zip(numbers).map(|(key, number)| caps::Of { key, number, since }).collect();
    let mut known = caps::rang(conn, &wanted).await?;
    let mut keys = 0..;
    let mut of_next = || keys.next().and_then(|key| known.remove(&key)).unwrap_or_default();
    for contact in leased {
        contact.history = of_next();
        contact.lines.iter_mut().for_each(|line| line.history = of_next());
    }
    Ok(())
}

/// What a plan has decided, as rows.
#[derive(Default)]
struct Written {
    planned: Vec<Planned>,
    contacts: Vec<Value>,
    inserts: Vec<Value>,
    moves: Vec<Value>,
    ends: Vec<Value>,
    /// Their leases are given back.
    spared: Vec<i64>,
    elsewhere: Vec<(RunContactId, NumberId)>,
}

impl Written {
    fn note(&mut self, order: &PlanOrder, run: &OpenRun, contact: Leased, placement: Placement) {
        let (now, id) = (order.now, contact.run_contact.0);
        match placement {
            Placement::Slot { slot_us, caller_id, leased_until } => {
                let attempt = match contact.planned {
                    Some(attempt) => {
                        self.moves.push(json!([attempt.0, slot_us]));
                        attempt
                    }
                    None => {
                        let attempt = AttemptId(order.ids.one(now.0));
                        self.inserts.push(json!([
                            attempt.0,
                            id,
                            run.run.0,
                            contact.number.0,
                            contact.tries_made + 1,
                            contact.mode,
                            caller_id.as_ref().map(|id| id.as_str()),
                            now.0,
                            slot_us
                        ]));
                        attempt
                    }
                };
                self.contacts.push(json!([id, leased_until.0, now.0, Value::Null, Value::Null, Value::Null]));
                self.planned.push(Planned { attempt, slot_us });
            }
            Placement::Park { until, gate } => {
                self.contacts.push(json!([id, 0, until.0, gate.as_str(), Value::Null, Value::Null]));
            }
            Placement::Elsewhere(number) => {
                self.elsewhere.push((contact.run_contact, number));
                self.contacts.push(json!([id, 0, now.0, Value::Null, Value::Null, Value::Null]));
            }
            Placement::Rest(outcome) => self.rests(&contact, outcome, None, now),
            Placement::Bar(gate) => self.rests(&contact, Outcome::Suppressed, Some(gate.as_str()), now),
            Placement::Short => self.spared.push(id),
        }
    }

    fn rests(&mut self, contact: &Leased, outcome: Outcome, gate: Option<&str>, now: Timestamp) {
        if let Some(attempt) = contact.planned {
            self.ends.push(json!([attempt.0, outcome.as_str()]));
        }
        self.contacts.push(json!([contact.run_contact.0, 0, Value::Null, gate, outcome.as_str(), now.0]));
    }

    async fn apply(self, conn: &mut Conn, now: Timestamp) -> Result<Vec<Planned>> {
        let statements = [
            (sql!("place_contacts"), self.contacts),
            (sql!("insert_attempts"), self.inserts),
            (sql!("move_slots"), self.moves),
        ];
        let statements = statements.map(|(text, rows)| Statement { text, rows: json!(rows).to_string() });
        pipeline::run(conn, statements.into()).await?;
        alternates::ring(conn, &self.elsewhere).await?;
        if !self.ends.is_empty() {
            sqlx::query(sql!("end_planned")).bind(json!(self.ends).to_string()).bind(now.0).execute(&mut *conn).await?;
        }
        if !self.spared.is_empty() {
            let spared = json!(self.spared).to_string();
            sqlx::query(sql!("give_leases_back")).bind(spared).execute(conn).await?;
        }
        Ok(self.planned)
    }
}
