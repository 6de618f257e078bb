//! `prices.toml` to [`Prices`]: every amount becomes whole micros, every price has its source and date.

use crate::domain::keys::{Faults, Reading, Table, cut};
use crate::domain::money::{CallPrice, MICROS, MinutePrice, ModelPrice, Part, Prices, Rate, Source, TokenPrices};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The table that is in the program, where no file is beside it.
pub const SHIPPED: &str = include_str!("../../prices.toml");

const ENTRIES_MAX: usize = 1000;
/// A minute, or a million tokens, costs no more than this.
const PRICE_MAX: f64 = 10_000.0;
/// And one unit of a currency is worth no more than this of another.
const RATE_MAX: f64 = 1_000_000.0;

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
    let rates: Vec<Rate> = table.tables("rate", ENTRIES_MAX).into_iter().filter_map(rate).collect();
    let into = Currencies { currency: currency.as_deref().unwrap_or_default(), rates: &rates };
    let calls: Vec<CallPrice> =
        table.tables("call", ENTRIES_MAX).into_iter().filter_map(|entry| call(entry, into)).collect();
    if !calls.iter().any(|price| price.to.is_empty()) {
        table.refuse("call", "none is for all numbers", "write one [[call]] without `to`");
    }
    let minutes = minutes(&table, into);
    let models: BTreeMap<String, ModelPrice> =
        table.tables("model", ENTRIES_MAX).into_iter().filter_map(|entry| model(entry, into)).collect();
    if models.is_empty() {
        table.refuse("model", "missing", "write at least one [[model]]: one that is not listed costs as the dearest");
    }
    table.close(&[]);
    Some(Prices { date: date?, currency: currency?, rates, calls, minutes: minutes?, models })
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

/// The table's own currency, and what others are worth in it.
#[derive(Clone, Copy)]
struct Currencies<'a> {
    currency: &'a str,
    rates: &'a [Rate],
}

impl Currencies<'_> {
    /// What one unit of the entry's currency is worth here, in micros; without a `currency` it is the table's own.
    fn worth(self, table: &Table<'_>) -> Option<i64> {
        if !table.has("currency") {
            return Some(MICROS);
        }
        let named = table.needed("currency", "write a currency, as in \"USD\"")?;
        if named == self.currency {
            return Some(MICROS);
        }
        let known = self.rates.iter().find(|rate| rate.from == named).map(|rate| rate.worth);
        if known.is_none() {
            let cure = format!("write a [[rate]] with from = \"{}\", its rate, source and date", cut(&named));
            table.refuse("currency", format!("`{}` has no rate", cut(&named)), cure);
        }
        known
    }
}

fn rate(table: Table<'_>) -> Option<Rate> {
    let from = table.needed("from", "write the currency that is turned into the table's own, as in \"USD\"");
    if !table.has("rate") {
        table.refuse("rate", "missing", "write how much of the table's currency one unit is worth");
    }
    let (worth, source) = (table.number("rate", 0.000_001, RATE_MAX), source(&table));
    table.close(&[]);
    Some(Rate { from: cut(&from?), worth: (worth? * MICROS as f64).round() as i64, source: source? })
}

/// An amount in the table's own currency, rounded up.
fn micros(table: &Table<'_>, key: &'static str, worth: i64) -> Option<i64> {
    if !table.has(key) {
        table.refuse(key, "missing", "write an amount, 0 where nothing is asked");
    }
    let own = table.number(key, 0.0, PRICE_MAX).map(|price| (price * MICROS as f64).round() as i128)?;
    let one = i128::from(MICROS);
    i64::try_from((own * i128::from(worth) + one - 1) / one).ok()
}

fn call(table: Table<'_>, into: Currencies<'_>) -> Option<CallPrice> {
    let worth = into.worth(&table);
    let to = if table.has("to") { table.parsed("to", beginning) } else { Some(String::new()) };
    table.value("to");
    let minute = micros(&table, "minute", worth.unwrap_or(MICROS));
    let (step_s, source) = (table.whole("step_s", 1, 3600), source(&table));
    table.close(&[]);
    Some(CallPrice { to: to?, minute: minute?, step_s: step_s.map_or(60, i64::from), source: source? })
}

fn beginning(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let good = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(text.to_owned()) } else { Err("write how the number begins, as in \"+7\"".to_owned()) }
}

/// All parts: one that is not there would cost nothing, and nobody would know.
fn minutes(table: &Table<'_>, into: Currencies<'_>) -> Option<BTreeMap<Part, MinutePrice>> {
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
        let worth = into.worth(&entry).unwrap_or(MICROS);
        let (minute, source) = (micros(&entry, "price", worth), source(&entry));
        entry.close(&[]);
        if let (Some(minute), Some(source)) = (minute, source) {
            minutes.insert(part, MinutePrice { minute, source });
        }
    }
    inner.close(&[]);
    Some(minutes)
}

fn model(table: Table<'_>, into: Currencies<'_>) -> Option<(String, ModelPrice)> {
    let name = table.needed("name", "write the model's name, as in OPENAI_REALTIME_MODEL");
    let worth = into.worth(&table).unwrap_or(MICROS);
    let price = |key| micros(&table, key, worth);
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

    /// A model is billed in dollars, the account in roubles: both stand in roubles, by a rate that has its day.
    #[test]
    fn a_price_in_another_currency_is_turned_by_a_dated_rate() {
        let rate = "[[rate]]\nfrom = \"USD\"\nrate = 92.5\nsource = \"the bank's\"\ndate = 2026-11-20\nunverified = false\n\n[[call]]";
        let roubles = SHIPPED.replacen("currency = \"USD\"", "currency = \"RUB\"", 1).replacen("[[call]]", rate, 1);
        let with = |of: &str| {
            roubles.replacen("name = \"gpt-realtime\"", &format!("name = \"gpt-realtime\"\ncurrency = \"{of}\""), 1)
        };
        let (own, turned) = (shipped(), parse(&with("USD")).expect("a good table"));
        let text_in = |prices: &Prices| prices.models["gpt-realtime"].tokens.text_in;
        assert_eq!(text_in(&turned) * 2, text_in(&own) * 185);
        assert_eq!(turned.calls, own.calls, "what names no currency is in the table's own");
        assert_eq!((turned.rates[0].from.as_str(), turned.rates[0].worth), ("USD", 92_500_000));
        let fault = parse(&with("EUR")).unwrap_err().list();
        let said =
            "model[0].currency: `EUR` has no rate; write a [[rate]] with from = \"EUR\", its rate, source and date";
        assert!(fault.iter().any(|fault| fault == said), "{fault:#?}");
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
