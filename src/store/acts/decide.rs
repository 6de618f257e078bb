//! Decisions that wait together: locked, loaded, asked one after the other, and applied as sets.
//!
//! Each decision sees what those before it did. Of their own attempt, number and contact that is read anew from the
//! tables: a *wave* holds no two orders that share one of them, and is applied before the next wave is loaded. What
//! waves have in common (their runs) is carried along in memory ([`Carried`]).
//!
//! More facts for a decision: a column of `load_attempt`, or a question of its own in [`load`], asked for all
//! attempts at once. More effects: a kind of rows in `effects.rs`. A fact that a decision of another number changes
//! belongs into [`Carried`].

use super::super::pipeline::{self, Answer, typed};
use super::super::{Conn, ROWS_ARE_LOCKED};
use super::carried::Carried;
use super::effects::{Effects, asks_known, key};
use super::latencies::Latencies;
use super::{alternates, caps, consent, life, money};
use crate::domain::alternates::Line;
use crate::domain::caps::{HISTORY_MS, Rang};
use crate::domain::state::State;
use crate::domain::{
    AttemptId, CampaignId, ContactId, NumberId, Outcome, RunContactId, RunId, SessionId, Timestamp, TokenHash,
};
use crate::fail;
use crate::store::asked::{Asked, Runs, Told};
use crate::store::rows::{Change, ContactChange, Held};
use crate::store::text::{Question, ids_text};
use crate::store::{BudgetsHeld, MoneyMove, Result, RunFacts, StoreError, term};
use std::collections::{BTreeSet, HashMap, HashSet};

#[derive(sqlx::FromRow, serde::Deserialize)]
struct HeldRow {
    attempt_id: i64,
    run_contact_id: i64,
    run_id: i64,
    number_id: i64,
    try_number: i64,
    mode: String,
    caller_id: Option<String>,
    state: String,
    slot_us: i64,
    claimed_at: Option<i64>,
    token_hash: Option<String>,
    dialed_at: Option<i64>,
    session_id: Option<i64>,
    held_until: Option<i64>,
    ended_at: Option<i64>,
    outcome: Option<String>,
    corrected_at: Option<i64>,
    ungranted: i64,
    told: Option<String>,
    contact_id: i64,
    due_at: Option<i64>,
    leased_until: i64,
    disposition: Option<String>,
    timezone: Option<String>,
    name: Option<String>,
    variables: String,
    not_before_at: Option<i64>,
    not_after_at: Option<i64>,
    e164: String,
    suppressed_at: Option<i64>,
    allow_listed_at: Option<i64>,
    campaign_id: i64,
    run_state: String,
    run_kind: String,
    run_ungranted: i64,
    run_not_dialled: i64,
    run_prohibited: i64,
    paused_at: Option<i64>,
    platform: String,
    number_held_until: Option<i64>,
    start_session: Option<i64>,
    alternates: i64,
    /// Somebody was erased once: whoever is about to be granted is held against that.
    some_erased: Option<i64>,
}

fn parsed<T: std::str::FromStr>(table: &'static str, column: &'static str, text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e| StoreError::row(table, column, e))
}

impl HeldRow {
    /// The state with its facts; a row that lacks one cannot be loaded.
    fn state(&self) -> Result<State> {
        let missing = |column| StoreError::row("attempts", column, format!("null in state {}", self.state));
        let token = || -> Result<TokenHash> {
            parsed("attempts", "token_hash", self.token_hash.as_deref().ok_or_else(|| missing("token_hash"))?)
        };
        let session = |at: Option<i64>| at.map(SessionId).ok_or_else(|| missing("session_id"));
        Ok(match self.state.as_str() {
            "planned" => State::Planned { due_at: Timestamp(self.due_at.unwrap_or(self.slot_us / 1000)) },
            "dialing" => State::Dialing {
                claimed_at: Timestamp(self.claimed_at.ok_or_else(|| missing("claimed_at"))?),
                token: token()?,
            },
            "live" => State::Live {
                dialed_at: Timestamp(self.dialed_at.ok_or_else(|| missing("dialed_at"))?),
                token: token()?,
                session: session(self.session_id)?,
            },
            "ended" => {
                let ended_at = Timestamp(self.ended_at.ok_or_else(|| missing("ended_at"))?);
                let outcome: Outcome =
                    parsed("attempts", "outcome", self.outcome.as_deref().ok_or_else(|| missing("outcome"))?)?;
                match (outcome, self.corrected_at, self.session_id) {
                    (Outcome::Lost, None, Some(session)) => State::Lost { ended_at, session: SessionId(session) },
                    _ => State::Ended { ended_at, outcome },
                }
            }
            other => return Err(StoreError::row("attempts", "state", format!("`{other}`"))),
        })
    }

    fn held(self, ended: Vec<Outcome>, history: Vec<Rang>, consented: bool, lines: Vec<Line>) -> Result<Held> {
        Ok(Held {
            state: self.state()?,
            attempt: AttemptId(self.attempt_id),
            run_contact: RunContactId(self.run_contact_id),
            contact: ContactId(self.contact_id),
            run: RunId(self.run_id),
            campaign: CampaignId(self.campaign_id),
            number: NumberId(self.number_id),
            try_number: self.try_number,
            mode: parsed("attempts", "mode", &self.mode)?,
            caller_id: self.caller_id.as_deref().map(|id| parsed("attempts", "caller_id", id)).transpose()?,
            slot_us: self.slot_us,
            token: self.token_hash.as_deref().map(|hash| parsed("attempts", "token_hash", hash)).transpose()?,
            session: self.session_id.map(SessionId),
            dialed_at: self.dialed_at.map(Timestamp),
            held_until: self.held_until.map(Timestamp),
            ungranted: self.ungranted,
            told: self.told,
            to: parsed("numbers", "e164", &self.e164)?,
            suppressed: self.suppressed_at.is_some(),
            allow_listed: self.allow_listed_at.is_some(),
            history,
            consented,
            term: term(self.not_before_at, self.not_after_at),
            number_held_until: self.number_held_until.map(Timestamp),
            timezone: self.timezone.as_deref().map(|zone| parsed("contacts", "timezone", zone)).transpose()?,
            name: self.name,
            variables: self.variables,
            leased_until: Timestamp(self.leased_until),
            disposition: self.disposition.as_deref().map(|d| parsed("run_contacts", "disposition", d)).transpose()?,
            run_state: parsed("runs", "state", &self.run_state)?,
            run_kind: self.run_kind,
            run_ungranted: self.run_ungranted,
            run_not_dialled: self.run_not_dialled,
            run_prohibited: self.run_prohibited,
            account_paused: self.paused_at.is_some(),
            platform: self.platform,
            ended,
            start_had_session: self.start_session.is_some(),
            facts: RunFacts::default(),
            money: Default::default(),
            lines,
        })
    }
}

/// Attempts as they stand; those that do not exist are absent.
pub async fn load(conn: &mut Conn, attempts: &[AttemptId]) -> Result<HashMap<AttemptId, Held>> {
    let wanted = Question::of_ids::<HeldRow>(sql!("load_attempt"), attempts.iter().map(|id| id.0));
    let [answer] = pipeline::ask(conn, [wanted]).await?;
    let mut rows: Vec<HeldRow> = typed(answer)?;
    let asks = |row: &&mut HeldRow| row.some_erased.is_some() && row.state == "dialing" && row.suppressed_at.is_none();
    let asked: Vec<String> = rows.iter_mut().filter(asks).map(|row| row.e164.clone()).collect();
    if !asked.is_empty() {
        let gone = super::erase::opted_out(conn, &asked).await?;
        for row in rows.iter_mut().filter(|row| gone.contains(&row.e164)) {
            row.suppressed_at = Some(row.slot_us / 1000);
        }
    }
    // Two tries of one contact are never open at once, but an ended one may be asked about beside an open one.
    let contacts: BTreeSet<i64> = rows.iter().map(|row| row.run_contact_id).collect();
    let runs: Vec<RunId> = rows.iter().map(|row| row.run_id).collect::<BTreeSet<_>>().into_iter().map(RunId).collect();
    let since = |row: &HeldRow| Timestamp(row.slot_us / 1000).plus_ms(-HISTORY_MS);
    let numbers: Vec<caps::Of> =
        rows.iter().map(|row| caps::Of { key: row.attempt_id, number: row.number_id, since: since(row) }).collect();
    let asks = [
        Question::of_ids::<EndedRow>(sql!("ended_outcomes"), contacts),
        life::asks_facts(&runs),
        caps::asks(&numbers),
        consent::asks(rows.iter().map(|row| row.contact_id)),
    ];
    let [outcomes, facts, rang, consents] = pipeline::ask(conn, asks).await?;
    let mut ended = ended(outcomes)?;
    let facts = life::facts_told(conn, facts).await?;
    let (mut history, consents) = (caps::told(rang)?, consent::told(consents)?);
    // Most contacts have one number.
    let several = rows.iter().filter(|row| row.alternates > 0).map(|row| RunContactId(row.run_contact_id));
    let lines = alternates::lines(conn, &several.collect::<Vec<_>>()).await?;
    let mut held = HashMap::with_capacity(rows.len());
    for row in rows {
        let mut outcomes = ended.remove(&row.run_contact_id).unwrap_or_default();
        outcomes.retain(|(attempt, _)| *attempt != row.attempt_id);
        let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        let facts = facts.get(&RunId(row.run_id)).copied().unwrap_or_default();
        let history = history.remove(&row.attempt_id).unwrap_or_default();
        let consented = consents.contains(&row.contact_id);
        let own = lines.get(&row.run_contact_id).cloned().unwrap_or_default();
        let own = alternates::without(own, AttemptId(row.attempt_id));
        held.insert(AttemptId(row.attempt_id), Held { facts, ..row.held(outcomes, history, consented, own)? });
    }
    Ok(held)
}

/// A run contact, an attempt, its outcome.
type EndedRow = (i64, i64, String);

/// Of each run contact, the tries that ended and how.
fn ended(answer: Answer) -> Result<HashMap<i64, Vec<(i64, Outcome)>>> {
    let mut ended: HashMap<i64, Vec<(i64, Outcome)>> = HashMap::new();
    for (contact, attempt, outcome) in typed::<EndedRow>(answer)? {
        ended.entry(contact).or_default().push((attempt, parsed("attempts", "outcome", &outcome)?));
    }
    Ok(ended)
}

/// Against other nodes, in the order of every transaction: accounts (shared) and runs, numbers, budgets, then attempts with
/// their run contacts; of each kind in the order of their ids. Returns the budgets; `None`: the runs must not be shared.
async fn lock(conn: &mut Conn, attempts: &[AttemptId], now: Timestamp, runs: Runs) -> Result<Option<BudgetsHeld>> {
    let wanted = ids_text(attempts.iter().map(|id| id.0));
    if ROWS_ARE_LOCKED {
        sqlx::query(sql!("share_accounts")).bind(&wanted).fetch_all(&mut *conn).await?;
        match runs {
            Runs::Own => drop(sqlx::query(sql!("own_runs")).bind(&wanted).fetch_all(&mut *conn).await?),
            Runs::Shared => {
                let counted: Vec<bool> =
                    sqlx::query_scalar(sql!("share_runs")).bind(&wanted).fetch_all(&mut *conn).await?;
                // Whoever comes next may set them back to zero.
                if counted.contains(&true) {
                    return Ok(None);
                }
            }
        }
        sqlx::query(sql!("lock_numbers")).bind(&wanted).fetch_all(&mut *conn).await?;
    }
    let budgets = money::held(conn, attempts, now).await?;
    if ROWS_ARE_LOCKED {
        sqlx::query(sql!("lock_attempts")).bind(&wanted).fetch_all(&mut *conn).await?;
    }
    Ok(Some(budgets))
}

/// Asks the decisions in the order given and applies what they change. All of it, or an error and nothing. `None`: a
/// row of `runs` is to be written that others share, and each would wait for the other; asked again with
/// [`Runs::Own`] after a rollback, it is done.
pub async fn decide(conn: &mut Conn, orders: &[&Asked], runs: Runs) -> Result<Option<Vec<Told>>> {
    let attempts: Vec<AttemptId> =
        orders.iter().map(|order| order.attempt).collect::<BTreeSet<_>>().into_iter().collect();
    let Some(now) = orders.iter().map(|order| order.now).min() else { return Ok(Some(Vec::new())) };
    let Some(mut budgets) = lock(conn, &attempts, now, runs).await? else { return Ok(None) };
    let mut known = load(conn, &attempts).await?;
    if !budgets.counters.is_empty() {
        budgets.replied = money::replied(conn, &attempts).await?;
    }
    let mut latencies = Latencies::before(conn, Latencies::ended(known.values())).await?;
    let (mut carried, mut told, mut rest) = (Carried::of(runs), Vec::with_capacity(orders.len()), orders);
    while !rest.is_empty() {
        let wave = Wave::first_of(rest, &known);
        let (now, later) = rest.split_at(wave.orders);
        let Some(answers) = ask(conn, now, &mut known, &mut carried, &mut budgets, &mut latencies).await? else {
            return Ok(None);
        };
        told.extend(answers);
        let stale: BTreeSet<AttemptId> = later
            .iter()
            .map(|order| order.attempt)
            .filter(|id| known.get(id).is_some_and(|h| wave.touches(h)))
            .collect();
        if !stale.is_empty() {
            known.extend(load(conn, &stale.into_iter().collect::<Vec<_>>()).await?);
        }
        rest = later;
    }
    latencies.apply(conn).await?;
    Ok(Some(told))
}

/// The longest beginning of a row of orders in which no two share their attempt, number or contact.
#[derive(Default)]
struct Wave {
    orders: usize,
    numbers: HashSet<NumberId>,
    contacts: HashSet<RunContactId>,
}

impl Wave {
    fn first_of(orders: &[&Asked], known: &HashMap<AttemptId, Held>) -> Self {
        let mut wave = Wave::default();
        for order in orders {
            if let Some(held) = known.get(&order.attempt) {
                if wave.touches(held) {
                    break;
                }
                wave.numbers.extend(held.lines.iter().map(|line| line.number).chain([held.number]));
                wave.contacts.insert(held.run_contact);
            }
            wave.orders += 1;
        }
        wave
    }

    fn touches(&self, held: &Held) -> bool {
        let mut numbers = held.lines.iter().map(|line| line.number).chain([held.number]);
        numbers.any(|number| self.numbers.contains(&number)) || self.contacts.contains(&held.run_contact)
    }
}

/// One wave: its events are stored first, and whoever brings a copy is not asked.
async fn ask(
    conn: &mut Conn,
    wave: &[&Asked],
    known: &mut HashMap<AttemptId, Held>,
    carried: &mut Carried,
    budgets: &mut BudgetsHeld,
    latencies: &mut Latencies,
) -> Result<Option<Vec<Told>>> {
    let heard: Vec<_> =
        wave.iter().filter(|order| known.contains_key(&order.attempt)).filter_map(|order| order.event()).collect();
    let (mut told, mut effects) = (Vec::with_capacity(wave.len()), Effects::default());
    let [stored] =
        pipeline::ask(conn, [asks_known(heard.iter().map(|(attempt, heard, _)| (*attempt, *heard)))]).await?;
    let fresh = effects.events(conn, stored, heard.into_iter()).await?;
    let (mut moves, mut wrote) = (Vec::new(), Vec::new());
    for order in wave {
        let Some(held) = known.get_mut(&order.attempt) else {
            told.push(Told::Unknown);
            continue;
        };
        if let Some(heard) = &order.heard {
            if !fresh.contains(&key(order.attempt, heard)) {
                told.push(Told::Again);
                continue;
            }
            if held.session != Some(heard.session) {
                effects.hear_of(heard.session, order.attempt, order.now);
            }
        }
        carried.show(held);
        held.money = budgets.of(held.attempt, held.run, held.campaign);
        let (change, answer) = (order.decision)(held);
        carried.note(held, &change, order.now);
        latencies.note(held, &change);
        if let Some(money) = &change.money {
            let moved = MoneyMove::of(held, money);
            budgets.note(&moved);
            moves.push(moved);
        }
        effects.add(held, &change, order);
        wrote.push(fail_point(order.heard.is_some(), &change));
        told.push(Told::Done(answer));
    }
    if carried.lacks_locks() {
        return Ok(None);
    }
    latencies.wave(conn).await?;
    effects.apply(conn).await?;
    money::put(conn, &moves).await?;
    carried.apply(conn).await?;
    wrote.into_iter().flatten().flatten().for_each(|point: fn()| point());
    Ok(Some(told))
}

/// What a decision writes, by the words of the kill matrix.
fn fail_point(heard: bool, change: &Change) -> [Option<fn()>; 2] {
    match change.attempt.as_ref().map(|to| &to.state) {
        Some(State::Dialing { .. }) => [Some(|| fail::wrote("claim")), None],
        Some(State::Live { .. }) => [Some(|| fail::wrote("grant")), None],
        Some(State::Planned { .. }) => [Some(|| fail::wrote("deferral")), None],
        Some(State::Lost { .. } | State::Ended { .. }) => {
            let again = matches!(change.contact, Some(ContactChange::Waits { .. }));
            [Some(|| fail::wrote("end")), again.then_some(|| fail::wrote("retry"))]
        }
        None => [heard.then_some(|| fail::wrote("event")), None],
    }
}
