//! What the account is and owns, for whoever checks the set-up.

use super::api::{rows, text};
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
    pub rule: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerId {
    pub number: Option<PhoneNumber>,
    pub active: bool,
}

const ROWS_MAX: &str = "1000";

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
        let found = rows(METHOD, self.api().call(METHOD, vec![("count", ROWS_MAX.into())]).await?)?;
        Ok(found
            .iter()
            .map(|row| RentedNumber {
                number: number(row, "phone_number"),
                usable: flag(row, "can_be_used", true)
                    && !flag(row, "deactivated", false)
                    && !flag(row, "canceled", false),
                rule: text(row, "rule_name").map(str::to_owned),
            })
            .collect())
    }

    pub async fn caller_ids(&self) -> Result<Vec<CallerId>, ApiError> {
        const METHOD: &str = "GetCallerIDs";
        let found = rows(METHOD, self.api().call(METHOD, vec![("count", ROWS_MAX.into())]).await?)?;
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
