//! How our side of a conversation was come by, as it is shown and exported.

use crate::domain::Timestamp;
use crate::store::Talked;
use serde_json::{Value, json};

/// Columns at the end of the attempts' list.
pub const COLUMNS: &[&str] = &[
    "replier",
    "model_requests",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "model_cost_micros",
    "tool_calls",
    "verdict",
    "dialogue_trouble",
];

fn read(text: Option<&String>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// One turn, as the API shows it.
pub fn turn(row: &Talked) -> Value {
    let reply = read(Some(&row.reply));
    let tokens =
        row.tokens_in.map(|_| json!({ "in": row.tokens_in, "cached": row.tokens_cached, "out": row.tokens_out }));
    json!({
        "turn": row.turn, "at": Timestamp(row.at).to_string(), "heard": (row.turn > 0).then_some(&row.text),
        "said": reply["reply_text"], "end_session": reply["end_session"], "replier": replier(row),
        "requests": row.requests, "first_ms": row.first_ms, "model_ms": row.model_ms, "tokens": tokens,
        "cost_micros": row.cost_micros, "tools": read(row.tools.as_ref()), "trouble": row.trouble, "fault": row.fault,
    })
}

/// Turns of an older version were answered by the rules.
fn replier(row: &Talked) -> &str {
    row.replier.as_deref().unwrap_or("rules")
}

/// Why the goal is reached or not, as the last turn left it.
pub fn verdict(rows: &[Talked]) -> Value {
    rows.iter().rev().find_map(|row| row.verdict.as_ref()).map_or(Value::Null, |text| read(Some(text)))
}

/// Of one attempt, in the order of [`COLUMNS`]; nothing where our dialogue was not asked.
pub fn cells(rows: &[Talked]) -> Vec<Value> {
    if rows.is_empty() {
        return vec![Value::Null; COLUMNS.len()];
    }
    let sum = |of: fn(&Talked) -> Option<i64>| {
        let counted: Vec<i64> = rows.iter().filter_map(of).collect();
        (!counted.is_empty()).then(|| counted.iter().sum::<i64>())
    };
    let mut repliers: Vec<&str> = rows.iter().filter(|row| row.turn > 0).map(replier).collect();
    repliers.sort_unstable();
    repliers.dedup();
    let tools: Vec<Value> = rows
        .iter()
        .flat_map(|row| {
            read(row.tools.as_ref()).as_array().cloned().unwrap_or_default().into_iter().map(|tool| (row.turn, tool))
        })
        .map(|(turn, mut tool)| {
            tool["turn"] = json!(turn);
            tool
        })
        .collect();
    let trouble: Vec<String> =
        rows.iter().filter_map(|row| Some(format!("turn {}: {}", row.turn, row.trouble.as_ref()?))).collect();
    vec![
        json!(repliers.join(";")),
        json!(rows.iter().map(|row| row.requests).sum::<i64>()),
        json!(sum(|row| row.tokens_in)),
        json!(sum(|row| row.tokens_cached)),
        json!(sum(|row| row.tokens_out)),
        json!(sum(|row| row.cost_micros)),
        if tools.is_empty() { Value::Null } else { json!(tools) },
        verdict(rows),
        json!((!trouble.is_empty()).then(|| trouble.join("; "))),
    ]
}

/// Puts to each turn of the session's timeline what our dialogue answered to it: the words are the same. What stands
/// beside no turn is returned.
pub fn beside<'a>(timeline: &mut [Value], rows: &'a [Talked]) -> Vec<&'a Talked> {
    let mut left: Vec<&Talked> = rows.iter().collect();
    for happened in timeline.iter_mut().filter(|happened| happened["what"] == "turn") {
        let words = happened["callee_text"].as_str().unwrap_or_default().to_owned();
        let mut mine = Vec::new();
        while let Some(at) =
            left.iter().position(|row| row.turn > 0 && !row.text.is_empty() && words.contains(&row.text))
        {
            // Those before it were of an earlier turn that the session told without words.
            mine.push(turn(left.remove(at)));
        }
        if !mine.is_empty() {
            happened["replies"] = json!(mine);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(turn: i64, text: &str) -> Talked {
        Talked {
            attempt_id: 1,
            turn,
            text: text.into(),
            reply: json!({ "reply_text": format!("to {text}"), "end_session": false }).to_string(),
            at: 0,
            replier: Some("m".into()),
            requests: 1,
            first_ms: Some(100),
            model_ms: Some(200),
            tokens_in: Some(10),
            tokens_cached: Some(4),
            tokens_out: Some(3),
            cost_micros: Some(7),
            tools: Some(r#"[{"name":"note","arguments":"{}","result":"done"}]"#.into()),
            verdict: Some(json!({ "goal": turn > 1 }).to_string()),
            trouble: (turn == 2).then(|| "slow".into()),
            fault: None,
        }
    }

    #[test]
    fn an_attempt_s_turns_are_summed_up() {
        let rows = [row(1, "Да"), Talked { replier: None, tokens_in: None, ..row(2, "Хорошо") }];
        let cells = cells(&rows);
        assert_eq!(cells.len(), COLUMNS.len());
        let expected = json!(["m;rules", 2, 10, 8, 6, 14,
            [{"name":"note","arguments":"{}","result":"done","turn":1},{"name":"note","arguments":"{}","result":"done","turn":2}],
            {"goal":true}, "turn 2: slow"]);
        assert_eq!(json!(cells), expected);
        assert!(super::cells(&[]).iter().all(Value::is_null));
    }

    #[test]
    fn replies_stand_beside_what_they_answer() {
        let rows = [row(1, "Да"), row(2, "Хорошо"), row(3, "Пока")];
        let turn = |text: &str| json!({ "what": "turn", "callee_text": text });
        let mut timeline = [json!({ "what": "ringing" }), turn("Да Хорошо"), turn("")];
        let left = beside(&mut timeline, &rows);
        let said: Vec<&str> =
            timeline[1]["replies"].as_array().unwrap().iter().map(|r| r["said"].as_str().unwrap()).collect();
        assert_eq!(said, ["to Да", "to Хорошо"]);
        assert_eq!(left.iter().map(|row| row.turn).collect::<Vec<_>>(), [3]);
    }
}
