//! How a number is written, in both languages, and the few sentences that are always the same.
//!
//! Milliseconds whole, shares and points with one decimal, p with two digits and never 0; a share of
//! fewer than ten is written as k of n.

use super::model::{Interval, Lang, Rate, Text};

/// Under this many, a percentage would pretend to know.
pub const PERCENT_MIN: u64 = 10;

const MINUS: char = '\u{2212}';
const THIN: char = '\u{a0}';

pub fn notice() -> Text {
    Text::new("simulated: says nothing about the real modes", "симуляция: о настоящих режимах ничего не говорит")
}

fn decimal(text: String, lang: Lang) -> String {
    match lang {
        Lang::En => text,
        Lang::Ru => text.replace('.', ","),
    }
}

/// A whole number with its thousands set apart.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

/// Milliseconds without a unit.
pub fn ms(value: f64) -> String {
    if value.is_infinite() {
        return "∞".to_owned();
    }
    let whole = value.round();
    let text = count(whole.abs() as u64);
    if whole < 0.0 { format!("{MINUS}{text}") } else { text }
}

/// Milliseconds with their sign.
pub fn ms_signed(value: f64) -> String {
    if value.round() > 0.0 { format!("+{}", ms(value)) } else { ms(value) }
}

/// A difference of shares in points, with its sign.
pub fn points(share: f64, lang: Lang) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    let sign = if tenths < 0.0 {
        MINUS.to_string()
    } else if tenths > 0.0 {
        "+".to_owned()
    } else {
        String::new()
    };
    decimal(format!("{sign}{:.1}", tenths.abs()), lang)
}

/// A difference of shares in points, without a sign.
pub fn points_plain(share: f64, lang: Lang) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { decimal(format!("{tenths:.1}"), lang) }
}

/// A number from -1 to 1 with two digits.
pub fn hundredths(value: f64, lang: Lang) -> String {
    let text = format!("{:.2}", value.abs());
    let sign = if value < 0.0 && text != "0.00" { MINUS.to_string() } else { String::new() };
    decimal(format!("{sign}{text}"), lang)
}

pub fn percent(share: f64, lang: Lang) -> String {
    decimal(format!("{:.1}{THIN}%", share * 100.0), lang)
}

/// `42.9 % (30 of 70)`, and only `3 of 7` under [`PERCENT_MIN`].
pub fn rate(rate: &Rate, lang: Lang) -> String {
    let of = match lang {
        Lang::En => "of",
        Lang::Ru => "из",
    };
    let counted = format!("{} {of} {}", count(rate.k), count(rate.interval.n));
    match rate.interval.estimate {
        Some(share) if rate.interval.n >= PERCENT_MIN => format!("{} ({counted})", percent(share, lang)),
        Some(_) => counted,
        None => "–".to_owned(),
    }
}

/// The Wilson interval, where a percentage is written at all.
pub fn rate_limits(rate: &Rate, lang: Lang) -> Option<String> {
    let (lower, upper) = rate.interval.limits()?;
    (rate.interval.n >= PERCENT_MIN).then(|| {
        let low = decimal(format!("{:.1}", lower * 100.0), lang);
        format!("{low}–{}", percent(upper, lang))
    })
}

pub fn p_value(p: f64, lang: Lang) -> String {
    if p < 0.001 {
        decimal("<\u{a0}0.001".to_owned(), lang)
    } else if p < 0.01 {
        decimal(format!("{p:.3}"), lang)
    } else {
        decimal(format!("{p:.2}"), lang)
    }
}

/// "350 to 470" / «350–470», signed where a sign matters.
pub fn between(lower: String, upper: String, lang: Lang) -> String {
    let signed = [&lower, &upper].iter().any(|text| text.starts_with([MINUS, '+']));
    match lang {
        Lang::En => format!("{lower} to {upper}"),
        Lang::Ru if signed => format!("{lower}…{upper}"),
        Lang::Ru => format!("{lower}–{upper}"),
    }
}

/// The limits of a difference in milliseconds.
pub fn ms_limits(interval: &Interval, lang: Lang) -> Option<String> {
    let (lower, upper) = interval.limits()?;
    Some(between(ms_signed(lower), ms_signed(upper), lang))
}

/// The limits of a difference of shares, in points.
pub fn points_limits(interval: &Interval, lang: Lang) -> Option<String> {
    let (lower, upper) = interval.limits()?;
    Some(between(points(lower, lang), points(upper, lang), lang))
}

/// A quantile as it is printed: its value, or how far the observations reach when it never came.
pub fn quantile(interval: &Interval, largest_ms: Option<i64>) -> String {
    match (interval.estimate, largest_ms) {
        (Some(value), _) => ms(value),
        (None, Some(largest)) if interval.reason.as_deref() == Some(super::NEVER) => {
            format!(">{THIN}{}", count(largest.unsigned_abs()))
        }
        (None, _) if interval.reason.as_deref() == Some(super::NEVER) => "∞".to_owned(),
        (None, _) => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_the_rules_say() {
        assert_eq!(ms(-588.5), "−589");
        assert_eq!(ms(8_200.2), "8\u{a0}200");
        assert_eq!(ms_signed(0.2), "0");
        assert_eq!(points(-0.0061, Lang::En), "−0.6");
        assert_eq!(points(0.027, Lang::Ru), "+2,7");
        assert_eq!(points(-0.0001, Lang::En), "0.0");
        assert_eq!(points_plain(0.05, Lang::Ru), "5");
        assert_eq!(p_value(0.000_001, Lang::Ru), "<\u{a0}0,001");
        assert_eq!(p_value(0.0042, Lang::En), "0.004");
        assert_eq!(p_value(0.25, Lang::En), "0.25");
        assert_eq!(count(1_234_567), "1\u{a0}234\u{a0}567");
    }
}
