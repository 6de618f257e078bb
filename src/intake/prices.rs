//! `prices.toml` to [`Prices`]: every amount becomes whole micros, every price has its source and date.

use crate::domain::keys::{Faults, Reading, Table, cut};
use crate::domain::money::{CallPrice, MICROS, MinutePrice, ModelPrice, Part, Prices, Source, TokenPrices};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The table that is in the program, where no file is beside it.
pub const SHIPPED: &str = include_str!("../../prices.toml");

const ENTRIES_MAX: usize = 1000;
/// A minute, or a million tokens, costs no more than this.
const PRICE_MAX: f64 = 10_000.0;

pub fn parse(text: &str) -> Result<Prices, Faults> {
    let reading = Reading::default();
    let prices = reading.parse(text).as_ref().and_then(|value| reading.table(value)).and_then(root);
    reading.end(prices)
}

/// The table in the program.
pub fn shipped() -> Prices {
    parse(SHIPPED).expect("the prices that ship are read by a test")
}

fn root(table: Table<'_>) -> Option<Prices> {
    let date = date(&table);
    let currency = table.needed("currency", "write the account's, as in \"USD\"");
    let calls: Vec<CallPrice> = table.tables("call", ENTRIES_MAX).into_iter().filter_map(call).collect();
    if !calls.iter().any(|price| price.to.is_empty()) {
        table.refuse("call", "none is for all numbers", "write one [[call]] without `to`");
    }
    let minutes = minutes(&table);
    let models: BTreeMap<String, ModelPrice> =
        table.tables("model", ENTRIES_MAX).into_iter().filter_map(model).collect();
    if models.is_empty() {
        table.refuse("model", "missing", "write at least one [[model]]: one that is not listed costs as the dearest");
    }
    table.close(&[]);
    Some(Prices { date: date?, currency: currency?, calls, minutes: minutes?, models })
}

fn date(table: &Table<'_>) -> Option<NaiveDate> {
    let cure = "write the day on which it was read, as in 2026-11-21";
    table.needed("date", cure)?;
    table.parsed("date", |text| text.parse().map_err(|_| cure.to_owned()))
}

fn source(table: &Table<'_>) -> Option<Source> {
    let source = table.needed("source", "say who asks this price and where it was read");
    let date = date(table);
    if !table.has("unverified") {
        table.refuse("unverified", "missing", "write true unless the price was read at whoever asks it");
    }
    let unverified = table.flag("unverified");
    Some(Source { source: source?, date: date?, unverified: unverified? })
}

fn micros(table: &Table<'_>, key: &'static str) -> Option<i64> {
    if !table.has(key) {
        table.refuse(key, "missing", "write an amount, 0 where nothing is asked");
    }
    table.number(key, 0.0, PRICE_MAX).map(|price| (price * MICROS as f64).round() as i64)
}

fn call(table: Table<'_>) -> Option<CallPrice> {
    let to = if table.has("to") { table.parsed("to", beginning) } else { Some(String::new()) };
    table.value("to");
    let (minute, step_s, source) = (micros(&table, "minute"), table.whole("step_s", 1, 3600), source(&table));
    table.close(&[]);
    Some(CallPrice { to: to?, minute: minute?, step_s: step_s.map_or(60, i64::from), source: source? })
}

fn beginning(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let good = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(text.to_owned()) } else { Err("write how the number begins, as in \"+7\"".to_owned()) }
}

/// All parts: one that is not there would cost nothing, and nobody would know.
fn minutes(table: &Table<'_>) -> Option<BTreeMap<Part, MinutePrice>> {
    let Some(inner) = table.table("minute") else {
        table.refuse("minute", "missing", "write a [minute.…] for each part of a session");
        return None;
    };
    let mut minutes = BTreeMap::new();
    for part in Part::ALL {
        let Some(entry) = inner.table(part.as_str()) else {
            inner.refuse(part.as_str(), "missing", "write its price, source, date and unverified");
            continue;
        };
        let (minute, source) = (micros(&entry, "price"), source(&entry));
        entry.close(&[]);
        if let (Some(minute), Some(source)) = (minute, source) {
            minutes.insert(part, MinutePrice { minute, source });
        }
    }
    inner.close(&[]);
    Some(minutes)
}

fn model(table: Table<'_>) -> Option<(String, ModelPrice)> {
    let name = table.needed("name", "write the model's name, as in OPENAI_REALTIME_MODEL");
    let price = |key| micros(&table, key);
    let prices = (
        (price("text_in"), price("text_cached"), price("text_out")),
        (price("audio_in"), price("audio_cached"), price("audio_out")),
    );
    let source = source(&table);
    table.close(&[]);
    let ((text_in, text_cached, text_out), (audio_in, audio_cached, audio_out)) = prices;
    let tokens = TokenPrices {
        text_in: text_in?,
        text_cached: text_cached?,
        text_out: text_out?,
        audio_in: audio_in?,
        audio_cached: audio_cached?,
        audio_out: audio_out?,
    };
    Some((cut(&name?), ModelPrice { tokens, source: source? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_that_ships_is_read() {
        let prices = shipped();
        assert_eq!((prices.currency.as_str(), prices.minutes.len()), ("USD", Part::ALL.len()));
        assert!(prices.models.contains_key("gpt-realtime"), "the default of OPENAI_REALTIME_MODEL has a price");
        let russian = prices.calls.iter().find(|price| price.to == "+7").unwrap();
        assert_eq!((russian.minute, russian.step_s), (60_000, 60));
    }

    #[test]
    fn a_price_without_a_source_is_refused_by_name() {
        let faults = |from: &str, to: &str| -> Vec<String> {
            assert!(SHIPPED.contains(from), "{from}");
            parse(&SHIPPED.replacen(from, to, 1)).unwrap_err().list()
        };
        for (from, to, said) in [
            (
                "\nunverified = true",
                "",
                "call[0].unverified: missing; write true unless the price was read at whoever asks it",
            ),
            ("minute = 0.25", "minute = -1", "call[0].minute: found -1; write a number from 0 to 10000"),
            ("to = \"+7\"", "to = \"7\"", "call[1].to: found `7`; write how the number begins, as in \"+7\""),
            ("[minute.amd]", "[minute.amdd]", "minute.amd: missing; write its price, source, date and unverified"),
            (
                "date = 2026-11-21",
                "date = \"May\"",
                "date: found `May`; write the day on which it was read, as in 2026-11-21",
            ),
            ("text_in = 4.0", "", "model[0].text_in: missing; write an amount, 0 where nothing is asked"),
        ] {
            let found = faults(from, to);
            assert!(found.iter().any(|fault| fault == said), "{found:#?}");
        }
    }
}
