//! What a call says of each latency: the view `report_observations` for a few calls, by hand.
//!
//! The view is the definition and counts everything anew; asked for the calls of a transaction it cost more than all else that
//! their end writes. Random histories hold the two against each other.

/// The metric of turns, as the view names it: a call that has some is known by its contact too.
pub const TURNS: &str = "turn_ms";
/// A wait without end.
const NEVER: i64 = -1;
/// Rulers, the best first; a call's is the worst of its turns'.
const RULERS: [&str; 4] = ["recording", "vad", "event_corrected", "event"];

/// A call beside one of its turns; a call without turns has one row.
#[derive(Clone, sqlx::FromRow)]
pub struct Row {
    pub attempt_id: i64,
    pub run_id: i64,
    pub mode: String,
    human: bool,
    source: String,
    faulty: bool,
    answer_ms: Option<i64>,
    ring_ms: Option<i64>,
    first_audio_ms: Option<i64>,
    talk_ms: Option<i64>,
    turn: Option<i64>,
    turn_ms: Option<i64>,
    method: Option<String>,
    asr_ms: Option<i64>,
    reply_ms: Option<i64>,
    model_ms: Option<i64>,
    tts_ms: Option<i64>,
    filler: Option<i64>,
    content_ms: Option<i64>,
}

/// One value of a metric. Of turns also the odd number of its place in the call, and how many were answered (migration 0021).
#[derive(Debug, PartialEq, Eq)]
pub struct Observed<'r> {
    pub metric: &'static str,
    pub class: &'static str,
    pub method: &'r str,
    pub later: i64,
    pub ms: i64,
    pub ranks: i64,
    pub sizes: i64,
}

/// Everything that the rows of one call say.
pub fn of_call<'r>(rows: &'r [Row], mut see: impl FnMut(Observed<'r>)) {
    let Some(call) = rows.first() else { return };
    let class = if call.human { "human" } else { "machine" };
    let plain = |metric, ms| Observed { metric, class, method: "", later: 0, ms, ranks: 0, sizes: 0 };
    call.answer_ms.map(|ms| plain("answer_ms", ms)).map(&mut see);
    call.ring_ms.map(|ms| plain("ring_ms", ms)).map(&mut see);
    if !call.human {
        return;
    }
    if call.source == "event" {
        see(plain("first_audio_ms", call.first_audio_ms.unwrap_or(NEVER)));
    }
    call.talk_ms.map(|ms| plain("talk_ms", ms)).map(&mut see);
    for row in rows {
        let behind_filler = |ms: Option<i64>| ms.filter(|_| row.filler == Some(1));
        for (metric, ms) in [
            ("asr_ms", row.asr_ms),
            ("reply_ms", row.reply_ms),
            ("model_ms", row.model_ms),
            ("tts_ms", row.tts_ms),
            ("filler_turn_ms", behind_filler(row.turn_ms)),
            ("filler_content_ms", behind_filler(row.content_ms)),
        ] {
            ms.filter(|ms| *ms >= 0).map(|ms| plain(metric, ms)).map(&mut see);
        }
    }
    // Replies that the callee spoke into are no waits.
    let mut waits: Vec<&Row> =
        rows.iter().filter(|row| row.turn.is_some() && row.turn_ms.is_none_or(|ms| ms >= 0)).collect();
    waits.sort_by_key(|row| (row.turn_ms.is_none(), row.turn_ms, row.turn));
    let answered = waits.iter().filter(|row| row.turn_ms.is_some()).count();
    let size = answered as i64;
    for (place, row) in (0..).zip(&waits) {
        let later = i64::from(row.turn != Some(1));
        let method = row.method.as_deref().unwrap_or_default();
        let (ms, ranks, sizes) = match row.turn_ms {
            Some(ms) => (ms, 2 * place + 1, size),
            None => (NEVER, 0, 0),
        };
        see(Observed { method, later, ms, ranks, sizes, ..plain(TURNS, 0) });
    }
    let ruler = |row: &&Row| RULERS.iter().position(|ruler| Some(*ruler) == row.method.as_deref());
    let Some(worst) = waits.iter().map(|row| ruler(row).unwrap_or(RULERS.len() - 1)).max() else { return };
    // Twice the middle, so that it is whole: of the answered ones, and of all.
    let twice = |told: usize| -> i64 {
        [told.div_ceil(2), told / 2 + 1].iter().filter_map(|place| waits.get(place - 1)?.turn_ms).sum()
    };
    let by_ruler = |metric, ms| Observed { method: RULERS[worst], ..plain(metric, ms) };
    if answered > 0 {
        see(by_ruler("call_turn_half_ms", twice(answered)));
        if call.faulty {
            see(plain("call_turn_faulty_half_ms", twice(answered)));
        }
    }
    let all = if waits.len() / 2 + 1 > answered { NEVER } else { twice(waits.len()) };
    see(by_ruler("call_turn_all_half_ms", all));
}
