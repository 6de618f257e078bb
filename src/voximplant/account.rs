//! What the account is and owns, for whoever checks the set-up.

use super::api::{id, rows, text};
use super::{ApiError, Client};
use crate::domain::PhoneNumber;
use serde_json::Value;

/// The account without its secrets, which the platform's answer holds too.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub name: String,
    pub active: bool,
    pub frozen: bool,
    pub balance: Option<f64>,
    pub currency: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RentedNumber {
    pub number: Option<PhoneNumber>,
    pub usable: bool,
    /// Whom somebody reaches who rings it.
    pub application: Option<i64>,
    pub rule: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerId {
    pub number: Option<PhoneNumber>,
    pub active: bool,
}

/// What calls of a group of destinations cost, in the account's currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// Such as "Russia Mobile".
    pub group: String,
    pub a_minute: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipRegistration {
    /// Host of the SIP provider.
    pub proxy: String,
    /// Registered, and not switched off.
    pub up: bool,
    /// What the SIP provider answered.
    pub said: Option<String>,
}

const SECONDS_A_MINUTE: f64 = 60.0;

/// The platform writes numbers without a plus.
fn number(row: &Value, field: &str) -> Option<PhoneNumber> {
    let digits = match row.get(field)? {
        Value::String(text) => text.trim_start_matches('+').to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    format!("+{digits}").parse().ok()
}

fn flag(row: &Value, field: &str, absent: bool) -> bool {
    row.get(field).and_then(Value::as_bool).unwrap_or(absent)
}

impl Client {
    pub async fn account(&self) -> Result<Account, ApiError> {
        const METHOD: &str = "GetAccountInfo";
        let answer = self.api().call(METHOD, vec![("return_live_balance", "true".into())]).await?;
        let held = answer
            .get("result")
            .filter(|r| r.is_object())
            .ok_or(ApiError::Malformed { method: METHOD, field: "result" })?;
        let balance = held.get("live_balance").or_else(|| held.get("balance")).and_then(Value::as_f64);
        Ok(Account {
            name: text(held, "account_name").unwrap_or_default().to_owned(),
            active: flag(held, "active", true),
            frozen: flag(held, "frozen", false),
            balance,
            currency: text(held, "currency").map(str::to_owned),
        })
    }

    pub async fn numbers(&self) -> Result<Vec<RentedNumber>, ApiError> {
        const METHOD: &str = "GetPhoneNumbers";
        let found = self.api().list(METHOD, Vec::new()).await?;
        Ok(found
            .iter()
            .map(|row| RentedNumber {
                number: number(row, "phone_number"),
                usable: flag(row, "can_be_used", true)
                    && !flag(row, "deactivated", false)
                    && !flag(row, "canceled", false),
                application: id(row, "application_id"),
                rule: id(row, "rule_id"),
            })
            .collect())
    }

    /// What a minute of calling a number of this country costs, by the provider's price list.
    pub async fn price(&self, to: &PhoneNumber) -> Result<Option<Price>, ApiError> {
        const METHOD: &str = "GetResourcePrice";
        let digits = to.as_str().trim_start_matches('+').to_owned();
        let params = vec![("resource_type", "PSTNOUT".to_owned()), ("resource_param", digits)];
        let answer = self.api().call(METHOD, params).await?;
        let found = rows(METHOD, answer)?;
        let group = found.iter().filter_map(|row| row.get("price_groups")?.as_array()?.first()).next();
        Ok(group.and_then(|group| {
            // Of what a price is for so many, the reference does not say: one must be a minute, more are seconds.
            let per = group.get("num_resources_per_price").and_then(Value::as_f64).filter(|per| *per > 1.0);
            Some(Price {
                group: text(group, "price_group_name").unwrap_or_default().to_owned(),
                a_minute: group.get("price")?.as_f64()? * SECONDS_A_MINUTE / per.unwrap_or(SECONDS_A_MINUTE),
            })
        }))
    }

    /// The account's lines to SIP providers.
    pub async fn sip_registrations(&self) -> Result<Vec<SipRegistration>, ApiError> {
        const METHOD: &str = "GetSipRegistrations";
        let found = self.api().list(METHOD, Vec::new()).await?;
        let said = |row: &Value| match (id(row, "status_code"), text(row, "error_message")) {
            (Some(code), Some(words)) => Some(format!("{code} {words}")),
            (Some(code), None) => Some(code.to_string()),
            (None, words) => words.map(str::to_owned),
        };
        Ok(found
            .iter()
            .map(|row| SipRegistration {
                proxy: text(row, "proxy").unwrap_or_default().to_owned(),
                up: flag(row, "successful", false) && !flag(row, "deactivated", false),
                said: said(row),
            })
            .collect())
    }

    pub async fn caller_ids(&self) -> Result<Vec<CallerId>, ApiError> {
        const METHOD: &str = "GetCallerIDs";
        let found = self.api().list(METHOD, Vec::new()).await?;
        Ok(found
            .iter()
            .map(|row| CallerId { number: number(row, "callerid_number"), active: flag(row, "active", true) })
            .collect())
    }

    /// People who ring this number reach the rule's scenario, which tells them who called.
    pub async fn bind_number(&self, number: &PhoneNumber, rule: i64) -> Result<(), ApiError> {
        let application = self.application().await?;
        let digits = number.as_str().trim_start_matches('+').to_owned();
        let params = vec![
            ("application_id", application.to_string()),
            ("phone_number", digits),
            ("rule_id", rule.to_string()),
            ("bind", "true".into()),
        ];
        self.api().call("BindPhoneNumberToApplication", params).await.map(drop)
    }
}
