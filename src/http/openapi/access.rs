//! Keys and their roles, the audit, links without a key, erasure.

use super::campaigns::keyed;
use super::paper::Paper;
use super::shapes::*;
use super::values::text;
use serde_json::{Value, json};

fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn word() -> Value {
    json!({ "type": "string", "maxLength": 200 })
}

pub(super) fn describe(paper: &mut Paper) {
    paper.topic("Keys and the audit", "Who may ask, and who did what. docs/SECURITY.md tells the roles.");
    paper.get("/api/v1/me", "me", "Whose key this is, and what it may do").answers::<Myself>(200, "It is yours.");
    paper
        .get("/api/v1/keys", "listKeys", "Keys, those that are over too")
        .answers::<KeysTold>(200, "All of them, without the keys themselves.");
    let add = paper
        .post("/api/v1/keys", "addKey", "A key of a role")
        .says("The key itself is told this once. A repetition with the same `Idempotency-Key` is not told it again.")
        .takes::<KeyWanted>(true, json!({ "name": "a screen on the wall", "role": "viewer", "expires_at": null }))
        .answers::<KeyMade>(201, "It holds from now on.")
        .refuses(&[415]);
    keyed(add);
    paper
        .delete("/api/v1/keys/{key}", "revokeKey", "A key opens nothing any more")
        .done(204, "It is revoked, now or before.");
    paper
        .get("/api/v1/audit", "listAudit", "Who did what, the newest first")
        .query("since", instant(), "Lines from then on.")
        .query("until", instant(), "Lines before then.")
        .query("action", word(), "Such as `key.add`.")
        .query("actor", word(), "A key's id, or a name.")
        .query("subject", word(), "The id of what was changed.")
        .page(1000)
        .answers::<AuditPage>(200, "A page of them.");
    paper
        .get("/api/v1/retention", "showRetention", "For how many days things are kept")
        .answers::<Retention>(200, "Days, or null for good.");
    paper
        .put("/api/v1/retention", "setRetention", "What is not named stays as it is")
        .takes::<Retention>(true, json!({ "transcripts_days": 90, "recordings_days": 30 }))
        .answers::<Retention>(200, "It holds from now on.")
        .refuses(&[422]);
}

/// Beside the numbers.
pub(super) fn erasure(paper: &mut Paper) {
    paper
        .delete("/api/v1/numbers/{number}", "erasePerson", "Erases the person behind a number, for good")
        .says("By the number, or by a contact that has it. What was counted stays counted.")
        .answers::<ErasedTold>(200, "They are erased, now or before.")
        .refuses(&[409, 422]);
}

/// Beside the reports.
pub(super) fn shares(paper: &mut Paper) {
    let share = paper
        .post("/api/v1/campaigns/{campaign}/report/share", "shareReport", "A link that shows the report without a key")
        .takes::<ShareWanted>(false, json!({ "days": 7, "lang": "en" }))
        .answers::<ShareTold>(201, "It shows the report until it expires or is taken back.");
    keyed(share);
    paper
        .get("/api/v1/campaigns/{campaign}/report/shares", "listShares", "Links to the report")
        .answers::<SharesTold>(200, "All of them.");
    paper
        .delete("/api/v1/shares/{share}", "unshareReport", "A link shows nothing any more")
        .done(204, "It is taken back.");
    paper
        .get("/shared/{share}", "sharedReport", "The report, to whoever has the link")
        .says("What stands in the address opens it. Numbers are masked as for a viewer.")
        .open()
        .needs_query("by", text(), "The signature.")
        .sends(200, "text/html", text(), "The report as a page.");
}
