//! Webhooks of others, alerts, a restore that waits, measures; a report cut into slices.

use super::campaigns::keyed;
use super::paper::{Operation, Paper};
use super::shapes::*;
use super::values::{bytes, text, whole};
use crate::report::slices::Slices;
use crate::report::verify::Verification;
use serde_json::json;

pub(super) fn describe(paper: &mut Paper) {
    paper.topic("Webhooks and alerts", "Programs that are told what happens, and what people were told.");
    paper
        .get("/api/v1/webhooks", "listWebhooks", "Where messages go")
        .answers_many::<WebhookTold>("Each, without its secret.");
    let add = paper
        .post("/api/v1/webhooks", "addWebhook", "Messages go there from now on")
        .takes::<WebhookWanted>(true, json!({ "url": "https://example.com/halo", "kinds": ["run.completed"] }))
        .answers::<WebhookMade>(201, "With its secret, which is told this once.");
    keyed(add);
    paper
        .get("/api/v1/webhooks/{webhook}", "showWebhook", "One webhook")
        .answers::<WebhookTold>(200, "Without its secret.");
    paper
        .patch("/api/v1/webhooks/{webhook}", "changeWebhook", "Another address, other kinds, on or off")
        .takes::<WebhookChange>(false, json!({ "enabled": false }))
        .answers::<WebhookTold>(200, "As it is now.")
        .refuses(&[422]);
    paper
        .delete("/api/v1/webhooks/{webhook}", "removeWebhook", "Nothing is sent there any more")
        .done(204, "It is forgotten, with its deliveries.");
    let renew = paper
        .post("/api/v1/webhooks/{webhook}/secret", "renewWebhookSecret", "A new secret")
        .answers::<WebhookMade>(200, "From now on everything is signed with it.");
    keyed(renew).refuses(&[413]);
    let test = paper
        .post("/api/v1/webhooks/{webhook}/test", "testWebhook", "A message of the kind `test`")
        .answers::<Waiting>(202, "It is on its way.");
    keyed(test).refuses(&[413]);
    paper
        .get("/api/v1/webhooks/{webhook}/deliveries", "listDeliveries", "What was sent, the newest first")
        .query("before", text(), "`next` of the page before.")
        .query("limit", whole(), "1 to 200; 50 when absent.")
        .answers::<Deliveries>(200, "A page of them, each with its tries.");
    let again = paper
        .post("/api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver", "redeliver", "Sends it once more")
        .answers::<Waiting>(202, "It is sent at the next look, under the id that it had.")
        .refuses(&[409]);
    keyed(again).refuses(&[413]);
    paper
        .get("/api/v1/alerts", "listAlerts", "What people were told of, open ones first")
        .answers_many::<AlertTold>("At most a hundred.");
    paper.topic("Restore and measures", "For whoever operates the installation; docs/OPERATING.md tells more.");
    paper
        .get("/api/v1/restore", "showRestore", "Whether a restore waits to be confirmed")
        .answers::<RestoreTold>(200, "How it stands.");
    let confirm = paper
        .post("/api/v1/restore/confirm", "confirmRestore", "What the backup lacks was brought back")
        .says("Until then nobody is called. Everything stays paused until it is resumed.")
        .takes::<Word>(false, json!({ "by": "anna", "reason": "opt-outs are back" }))
        .answers::<RestoreTold>(200, "Nothing waits any more.");
    keyed(confirm);
    paper
        .get("/metrics", "metrics", "The counters of this process, and what the tables say")
        .says("Without a key where the listener is loopback and no proxy stands between, or where a setting says so.")
        .half_open()
        .sends(200, "application/openmetrics-text", text(), "OpenMetrics 1.0.");
}

fn span(operation: Operation<'_>) -> Operation<'_> {
    const FROM: &str = "Dialled from then on: a day of the campaign's zone, or an instant. When absent: since that began which \
                        is played now.";
    let instant = || json!({ "type": "string", "examples": ["2027-01-31", "2027-01-31T00:00:00Z"] });
    operation.query("from", instant(), FROM).query(
        "until",
        instant(),
        "Dialled until the end of that day, or before that instant.",
    )
}

const BY: &str = "`column:NAME`, `list`, `zone`, `caller_id` or `hour`.";

/// Beside the reports.
pub(super) fn slices(paper: &mut Paper) {
    let cut = paper
        .get("/api/v1/campaigns/{campaign}/report/slices", "reportSlices", "The figures cut by something")
        .says("Exploratory: no verdict follows from a slice.")
        .needs_query("by", text(), BY)
        .answers::<Slices>(200, "The slices.");
    span(cut);
    let behind = paper
        .get("/api/v1/campaigns/{campaign}/report/calls", "reportCalls", "The turns that were waited for longest")
        .query("by", text(), BY)
        .query("label", text(), "Which slice; all when absent.")
        .query("mode", text(), "Of this mode alone.")
        .query("night", whole(), "The run's number in its campaign.")
        .answers::<SlowestTurns>(200, "Ten at most; those without a reply first.");
    span(behind);
    let verify = paper
        .post(
            "/api/v1/campaigns/{campaign}/report/verify",
            "verifyReport",
            "Whether an export gives the report's figures",
        )
        .says("The export of attempts (CSV) as the body is counted again; what differs is named.")
        .takes_any(&[("text/csv", bytes())])
        .answers::<Verification>(200, "`same`, `moved_on` where the data has changed since, or `differs`.")
        .refuses(&[422]);
    keyed(verify);
}
