//! Rows of a campaign, made by the engine: each attempt is another contact's, its latencies drawn from its number.

pub const CAMPAIGN: i64 = 7;
pub const MODES: [&str; 3] = ["dialog", "realtime", "realtime_pure"];
const NIGHTS: u64 = 28;
/// 2027-01-01.
const BEGIN: i64 = 1_798_761_600_000;

/// Something between 0 and 999 that looks like chance.
fn draw(of: &str, prime: u64) -> String {
    format!("((({of}) * {prime} + (({of}) / 97) * 7919) % 1009 * 997 % 1000)")
}

/// One statement for each table, in the order of their references. An attempt in five is not answered, one in ten of
/// the answered is a machine, one turn in forty never got a reply.
pub fn statements(engine: &str, account: i64, attempts: u64, turns: u64) -> Vec<String> {
    let numbers = |upto: u64| match engine {
        "postgres" => format!("(select i from generate_series(cast(1 as bigint), {upto}) as g (i))"),
        _ => format!(
            "(with recursive g (i) as (select 1 union all select i + 1 from g where i < {upto}) select i from g)"
        ),
    };
    let all = numbers(attempts);
    let mode = "case i % 3 when 0 then 'dialog' when 1 then 'realtime' else 'realtime_pure' end";
    let night = format!("(i % {NIGHTS} + 1)");
    let outcome = format!(
        "case when {d} < 200 then 'no_answer' when {d} < 280 then 'machine' else 'answered' end",
        d = draw("i", 7_561)
    );
    let answered = format!("{} >= 280", draw("i", 7_561));
    let ended = format!("{BEGIN} + {night} * 86400000 + i % 80000000");
    let turn_ms = format!(
        "case when {rare} < 25 then null else 500 + {own} + {each} * 2 / 3 + (case i % 3 when 0 then 400 else 0 end) end",
        rare = draw("i * 31 + t", 8_887),
        own = draw("i", 6_007),
        each = draw("i * 17 + t", 4_409),
    );
    vec![
        format!(
            "insert into campaigns (campaign_id, name, settings, script, salt, created_at) \
             values ({CAMPAIGN}, 'bench', '{{}}', '', 'salt', {BEGIN})"
        ),
        format!(
            "insert into imports (batch_id, campaign_id, ordinal, source, content_hash, rows_total, accepted, \
             duplicates, refused, imported_at) \
             values (1, {CAMPAIGN}, 1, 'bench', 'bench', {attempts}, {attempts}, 0, 0, {BEGIN})"
        ),
        format!(
            "insert into runs (run_id, campaign_id, account_id, ordinal, kind, started_at, state, changed_at, ended_at) \
             select i, {CAMPAIGN}, {account}, i, 'campaign', {BEGIN} + i * 86400000, 'completed', \
             {BEGIN} + (i + 1) * 86400000, {BEGIN} + (i + 1) * 86400000 from {} as g",
            numbers(NIGHTS)
        ),
        format!("insert into numbers (number_id, e164) select i, '+' || cast(10000000000 + i as text) from {all} as g"),
        format!(
            "insert into contacts (contact_id, campaign_id, batch_id, number_id, line, mode, own_mode, dial_order, \
             variables, raw_phone) select i, {CAMPAIGN}, 1, i, i + 1, {mode}, 0, i, '{{}}', '' from {all} as g"
        ),
        format!(
            "insert into run_contacts (run_contact_id, run_id, contact_id, number_id, mode, dial_order, disposition, \
             rested_at) select i, {night}, i, i, {mode}, i, {outcome}, {ended} from {all} as g"
        ),
        format!(
            "insert into attempts (attempt_id, run_contact_id, run_id, number_id, try_number, mode, planned_at, state, \
             slot_us, claimed_at, dialed_at, session_id, ended_at, outcome, evidence) \
             select i, i, {night}, i, 1, {mode}, {ended} - 60000, 'ended', ({ended} - 60000) * 1000, {ended} - 60000, \
             {ended} - 50000, i, {ended}, {outcome}, 'event' from {all} as g"
        ),
        format!(
            "insert into calls (attempt_id, session_id, source, code, hung_up_by, goal, machine, answer_ms, ring_ms, \
             first_audio_ms, talk_ms, cost_micros) \
             select i, i, 'event', 200, case when i % 2 = 0 then 'callee' else 'agent' end, \
             case when {goal} < 420 then 1 else 0 end, 0, 2000 + {a} * 9, 1500 + {a} * 8, 300 + {b}, \
             9000 + {b} * 60, 3000 + {a} from {all} as g where {d} >= 200",
            goal = draw("i", 5_303),
            a = draw("i", 3_001),
            b = draw("i", 9_001),
            d = draw("i", 7_561),
        ),
        format!(
            "insert into turns (attempt_id, turn, turn_ms, method, filler, interrupted) \
             select i, t, {turn_ms}, 'vad', 0, 0 from {all} as g cross join (select i as t from {} as h) as k \
             where {answered}",
            numbers(turns)
        ),
    ]
}
