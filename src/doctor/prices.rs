//! Is the table of prices one that a budget can lean on?

use super::Finding;
use crate::domain::Timestamp;
use crate::domain::money::{PRICES_DAYS_MAX, Prices};

pub fn prices(table: &Result<Prices, String>, today: Timestamp) -> Finding {
    const CHECK: &str = "prices";
    let prices = match table {
        Ok(prices) => prices,
        Err(cause) => return Finding::failed(CHECK, cause.clone()),
    };
    let days = today.utc().map_or(0, |at| prices.age_days(at.date_naive()));
    let (unverified, all) = prices.unverified();
    let told =
        format!("prices.toml of {}, in {}: {unverified} of {all} prices unverified", prices.date, prices.currency);
    if days > PRICES_DAYS_MAX {
        let cure = "look the prices up and put the day beside them";
        Finding::warning(CHECK, format!("{told}; {days} days old: {cure}"))
    } else {
        Finding::ok(CHECK, told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;
    use crate::intake::prices::shipped;

    /// Without `PRICES_DAYS_MAX` nobody hears that the table is old.
    #[test]
    fn an_old_table_is_worth_a_word() {
        let at = |days: i64| {
            let made = shipped().date.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_millis();
            prices(&Ok(shipped()), Timestamp(made + days * 86_400_000))
        };
        assert_eq!((at(180).level, at(181).level), (Level::Ok, Level::Warning));
        assert!(at(181).told.contains("181 days old"), "{}", at(181).told);
        assert_eq!(prices(&Err("prices.toml: date: missing".into()), Timestamp(0)).level, Level::Failed);
    }
}
