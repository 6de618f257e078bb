//! Is the whole installation dialling, and if not: which gate, since when?

use super::Timestamp;
use super::clearance::Gate;

/// An open run, as the question needs it.
#[derive(Clone, Debug)]
pub struct Open {
    /// Campaign and run in words.
    pub name: String,
    pub paused: bool,
    pub reason: Option<String>,
    pub changed_at: Timestamp,
    pub dialing: i64,
    pub live: i64,
    /// Is it anybody's turn?
    pub due: bool,
    /// The next turn, and what holds it until then.
    pub next: Option<(Timestamp, Option<Gate>)>,
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub runs: Vec<Open>,
    /// All calls are paused: since when and why.
    pub account_paused: Option<(Timestamp, Option<String>)>,
    /// Until when a process that dials has said that it is alive; `None`: there never was one.
    pub alive_until: Option<Timestamp>,
    /// The last slot that was given to anybody.
    pub last_start: Option<Timestamp>,
    /// When the last run ended.
    pub last_end: Option<Timestamp>,
    pub starts_per_s: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub dialling: bool,
    /// Why not, in a word; `None` while it dials.
    pub gate: Option<&'static str>,
    /// Since when it does not dial, as far as is known.
    pub since: Option<Timestamp>,
    /// When that ends by itself.
    pub until: Option<Timestamp>,
    pub runs: usize,
    pub live: i64,
    pub starts_per_s: f64,
    /// What a restore lacks, while nobody has confirmed it.
    pub restored: Option<String>,
    /// All of it in one line.
    pub line: String,
}

impl Status {
    /// The database was put back as it was: that is told beside everything else.
    pub fn of_restored(self, restored: Option<String>) -> Self {
        let line = match &restored {
            // A pause for this very reason says it already.
            Some(sentence) if !self.line.contains(sentence) => format!("{}; {sentence}", self.line),
            _ => self.line,
        };
        Status { restored, line, ..self }
    }
}

pub fn status(facts: &Facts, now: Timestamp) -> Status {
    let live = facts.runs.iter().map(|run| run.live + run.dialing).sum();
    let running: Vec<&Open> = facts.runs.iter().filter(|run| !run.paused).collect();
    let not = |gate: &'static str, since: Option<Timestamp>, until: Option<Timestamp>, said: String| {
        let when = since.map(|at| format!(" since {at}")).unwrap_or_default();
        let and = if live > 0 { format!("; {} still under way", calls(live)) } else { String::new() };
        let line = format!("not dialling{when}: {gate}: {said}{and}");
        Status {
            dialling: false,
            gate: Some(gate),
            since,
            until,
            runs: running.len(),
            live,
            starts_per_s: 0.0,
            restored: None,
            line,
        }
    };
    // Nothing else is true while nobody is there to act on it.
    match facts.alive_until {
        Some(until) if until > now => {}
        until => return not("nobody_dials", until, None, "no process that dials is alive: start `halo serve`".into()),
    }
    let why = |reason: &Option<String>| reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    if let Some((since, reason)) = &facts.account_paused {
        return not("paused", Some(*since), None, format!("all calls are paused{}", why(reason)));
    }
    let Some(last) = facts.runs.iter().max_by_key(|run| run.changed_at) else {
        return not("no_run", facts.last_end, None, "no run is open".into());
    };
    if running.is_empty() {
        let others = facts.runs.len() - 1;
        let more = if others > 0 { format!(" (and {others} more)") } else { String::new() };
        let said = format!("{} is paused{}{more}", last.name, why(&last.reason));
        return not("paused", Some(last.changed_at), None, said);
    }
    let under_way: i64 = running.iter().map(|run| run.live + run.dialing).sum();
    if under_way > 0 || running.iter().any(|run| run.due) {
        let (runs, starts_per_s) = (running.len(), facts.starts_per_s);
        let noun = if runs == 1 { "run" } else { "runs" };
        let line = format!("dialling: {runs} {noun}, {} live, {starts_per_s:.1} starts/s", calls(live));
        return Status {
            dialling: true,
            gate: None,
            since: None,
            until: None,
            runs,
            live,
            starts_per_s,
            restored: None,
            line,
        };
    }
    let since = facts.last_start.or(running.iter().map(|run| run.changed_at).max()).map(|at| at.min(now));
    let next = running.iter().filter_map(|run| run.next.map(|next| (next, run))).min_by_key(|((at, _), _)| *at);
    match next {
        Some(((until, gate), run)) => {
            let gate_name = gate.map_or("due", Gate::as_str);
            let said = gate.map_or("nobody's turn has come", Gate::sentence);
            not(gate_name, since, Some(until), format!("{}: {said}, until {until}", run.name))
        }
        // Everybody rests: the run is completed at the next tick.
        None => not("no_run", since, None, "nobody waits any more".into()),
    }
}

fn calls(n: i64) -> String {
    if n == 1 { "1 call".into() } else { format!("{n} calls") }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
