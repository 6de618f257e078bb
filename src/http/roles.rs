//! Who may do what: every route of the API with the least role that it asks for, and what the audit calls it.
//!
//! What stands here in no row is refused to everybody. A test holds the rows against the router, in both directions.

use crate::domain::Role::{self, Admin, Operator, Viewer};

#[derive(Debug)]
pub struct Row {
    pub method: &'static str,
    /// As the router writes it, below `/api/v1` unless it begins with `/demo`.
    pub path: &'static str,
    pub least: Role,
    /// Empty for what changes nothing.
    pub action: &'static str,
}

const fn reads(path: &'static str, least: Role) -> Row {
    Row { method: "GET", path, least, action: "" }
}

const fn does(method: &'static str, path: &'static str, least: Role, action: &'static str) -> Row {
    Row { method, path, least, action }
}

/// In the order of addresses.
pub const TABLE: &[Row] = &[
    reads("/account", Viewer),
    does("PUT", "/account/limits", Admin, "account.limits"),
    reads("/alerts", Viewer),
    reads("/attempts/{attempt}", Viewer),
    reads("/attempts/{attempt}/events", Viewer),
    does("POST", "/attempts/{attempt}/hangup", Operator, "attempt.hang_up"),
    does("PUT", "/attempts/{attempt}/label", Operator, "attempt.label"),
    // The provider writes numbers into its log as it likes.
    reads("/attempts/{attempt}/log", Operator),
    reads("/attempts/{attempt}/recording", Operator),
    reads("/attempts/{attempt}/told", Viewer),
    reads("/audit", Admin),
    reads("/campaigns", Viewer),
    does("POST", "/campaigns", Operator, "campaign.import"),
    does("POST", "/campaigns/check", Operator, ""),
    reads("/campaigns/{campaign}", Viewer),
    reads("/campaigns/{campaign}/attempts", Viewer),
    reads("/campaigns/{campaign}/attempts.csv", Viewer),
    reads("/campaigns/{campaign}/attempts.ndjson", Viewer),
    // What is packed cannot be masked on its way.
    reads("/campaigns/{campaign}/attempts.xlsx", Operator),
    does("POST", "/campaigns/{campaign}/check", Operator, ""),
    does("POST", "/campaigns/{campaign}/clone", Operator, "campaign.clone"),
    reads("/campaigns/{campaign}/contacts", Viewer),
    does("POST", "/campaigns/{campaign}/contacts", Operator, "campaign.append"),
    // Rows as somebody typed them: in their cells anything may be a number.
    reads("/campaigns/{campaign}/contacts.csv", Operator),
    reads("/campaigns/{campaign}/contacts.ndjson", Operator),
    reads("/campaigns/{campaign}/contacts.xlsx", Operator),
    reads("/campaigns/{campaign}/contacts/{contact}/why", Viewer),
    reads("/campaigns/{campaign}/gate", Viewer),
    reads("/campaigns/{campaign}/notes.csv", Operator),
    reads("/campaigns/{campaign}/notes.ndjson", Operator),
    reads("/campaigns/{campaign}/notes.xlsx", Operator),
    reads("/campaigns/{campaign}/outlook", Viewer),
    reads("/campaigns/{campaign}/plan", Viewer),
    reads("/campaigns/{campaign}/preview", Viewer),
    reads("/campaigns/{campaign}/prove", Viewer),
    reads("/campaigns/{campaign}/rejects.csv", Operator),
    reads("/campaigns/{campaign}/rejects.ndjson", Operator),
    reads("/campaigns/{campaign}/rejects.xlsx", Operator),
    reads("/campaigns/{campaign}/report", Viewer),
    reads("/campaigns/{campaign}/report.csv", Viewer),
    reads("/campaigns/{campaign}/report.html", Viewer),
    reads("/campaigns/{campaign}/report.json", Viewer),
    reads("/campaigns/{campaign}/report/calls", Viewer),
    does("POST", "/campaigns/{campaign}/report/share", Operator, "report.share"),
    reads("/campaigns/{campaign}/report/shares", Operator),
    reads("/campaigns/{campaign}/report/slices", Viewer),
    does("POST", "/campaigns/{campaign}/report/verify", Operator, ""),
    reads("/campaigns/{campaign}/runs", Viewer),
    does("POST", "/campaigns/{campaign}/runs", Operator, "run.start"),
    reads("/campaigns/{campaign}/settings", Viewer),
    does("PATCH", "/campaigns/{campaign}/settings", Operator, "campaign.settings"),
    reads("/campaigns/{campaign}/turns.csv", Viewer),
    reads("/campaigns/{campaign}/turns.ndjson", Viewer),
    reads("/campaigns/{campaign}/turns.xlsx", Operator),
    reads("/contacts/{contact}/why", Viewer),
    does("POST", "/demo/session", Operator, "call.place"),
    reads("/keys", Admin),
    does("POST", "/keys", Admin, "key.add"),
    does("DELETE", "/keys/{key}", Admin, "key.revoke"),
    reads("/me", Viewer),
    reads("/modes", Viewer),
    reads("/nodes", Viewer),
    reads("/numbers/{number}", Viewer),
    does("DELETE", "/numbers/{number}", Admin, "number.erase"),
    does("DELETE", "/numbers/{number}/allow-list", Operator, "number.forbid"),
    does("PUT", "/numbers/{number}/allow-list", Operator, "number.allow"),
    reads("/overview", Viewer),
    reads("/pause", Viewer),
    does("POST", "/pause", Operator, "account.pause"),
    reads("/people", Viewer),
    reads("/people/{contact}", Viewer),
    reads("/policies", Viewer),
    reads("/reports/compare", Viewer),
    reads("/restore", Viewer),
    // Opt-outs of people may be missing: who says that nobody is called wrongly?
    does("POST", "/restore/confirm", Admin, "installation.confirm_restore"),
    does("POST", "/resume", Operator, "account.resume"),
    reads("/retention", Admin),
    does("PUT", "/retention", Admin, "retention.set"),
    reads("/runs/{run}", Viewer),
    reads("/runs/{run}/attempts", Viewer),
    does("POST", "/runs/{run}/drain", Operator, "run.drain"),
    reads("/runs/{run}/events", Viewer),
    does("POST", "/runs/{run}/judge", Operator, "run.judge"),
    reads("/runs/{run}/labels/sample", Viewer),
    reads("/runs/{run}/live", Viewer),
    does("POST", "/runs/{run}/pause", Operator, "run.pause"),
    does("POST", "/runs/{run}/resume", Operator, "run.resume"),
    does("POST", "/runs/{run}/stop", Operator, "run.stop"),
    reads("/schedules", Viewer),
    reads("/setup", Viewer),
    does("POST", "/setup/deploy", Admin, "provider.deploy"),
    does("DELETE", "/shares/{share}", Operator, "report.unshare"),
    reads("/status", Viewer),
    reads("/suppressions", Viewer),
    does("POST", "/suppressions", Operator, "number.suppress"),
    reads("/suppressions.csv", Operator),
    reads("/suppressions.ndjson", Operator),
    reads("/suppressions.xlsx", Operator),
    does("DELETE", "/suppressions/{number}", Operator, "number.lift"),
    reads("/template.csv", Viewer),
    reads("/uploads/{key}/events", Operator),
    // An endpoint is where this installation's events go, and its secret signs them.
    reads("/webhooks", Operator),
    does("POST", "/webhooks", Admin, "webhook.add"),
    reads("/webhooks/{webhook}", Operator),
    does("PATCH", "/webhooks/{webhook}", Admin, "webhook.change"),
    does("DELETE", "/webhooks/{webhook}", Admin, "webhook.remove"),
    reads("/webhooks/{webhook}/deliveries", Operator),
    does("POST", "/webhooks/{webhook}/deliveries/{delivery}/redeliver", Operator, "webhook.redeliver"),
    does("POST", "/webhooks/{webhook}/secret", Admin, "webhook.renew"),
    does("POST", "/webhooks/{webhook}/test", Operator, "webhook.test"),
];

/// What a request finds at an address that the router knows by this name.
pub(super) enum Found {
    Row(&'static Row),
    /// The address is known, the method is not: those that are.
    OtherMethods(String),
    Nothing,
}

pub(super) fn find(method: &str, matched: &str) -> Found {
    let path = matched.strip_prefix("/api/v1").unwrap_or(matched);
    // The router answers HEAD as it answers GET, without the body.
    let method = if method == "HEAD" { "GET" } else { method };
    let here = || TABLE.iter().filter(|row| row.path == path);
    if let Some(row) = here().find(|row| row.method == method) {
        return Found::Row(row);
    }
    let others: Vec<&str> = here().map(|row| row.method).collect();
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The guard: this test. A route that is registered without a row, or a row without a route, stands in the message.
    #[test]
    fn the_table_and_the_router_hold_the_same_routes() {
        let (api, demo) = (super::super::api(), super::super::demo());
        let routed: Vec<(&str, &str)> =
            api.known().iter().chain(demo.known()).map(|(method, path)| (*method, path.as_str())).collect();
        let listed: Vec<(&str, &str)> = TABLE.iter().map(|row| (row.method, row.path)).collect();
        let (routes, rows): (BTreeSet<_>, BTreeSet<_>) = (routed.iter().collect(), listed.iter().collect());
        assert_eq!((routes.len(), rows.len()), (routed.len(), listed.len()), "twice");
        assert_eq!(routes.difference(&rows).collect::<Vec<_>>(), Vec::<&&(&str, &str)>::new(), "without a row");
        assert_eq!(rows.difference(&routes).collect::<Vec<_>>(), Vec::<&&(&str, &str)>::new(), "without a route");
    }

    #[test]
    fn a_viewer_only_reads_and_keys_are_an_admins() {
        for row in TABLE {
            assert!(row.method == "GET" || row.least > Viewer, "{} {}", row.method, row.path);
            assert!(row.method != "GET" || row.action.is_empty(), "{}", row.path);
            let own = ["/keys", "/audit"].iter().any(|begins| row.path.starts_with(begins));
            assert!(!own || row.least == Admin, "{}", row.path);
        }
        assert!(TABLE.is_sorted_by_key(|row| row.path), "in the order of addresses");
    }

    #[test]
    fn what_stands_in_no_row_is_not_found() {
        assert!(matches!(find("GET", "/api/v1/nothing"), Found::Nothing));
        assert!(matches!(find("HEAD", "/api/v1/campaigns"), Found::Row(row) if row.method == "GET"));
        assert!(matches!(find("PUT", "/api/v1/campaigns"), Found::OtherMethods(there) if there == "GET,POST"));
    }
}
