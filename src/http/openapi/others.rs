//! Numbers, people, reports, the account, and what stands beside the API.

use super::campaigns::keyed;
use super::paper::{Operation, Paper};
use super::shapes::*;
use super::values::{bytes, one_of, text};
use crate::report::Report;
use crate::report::gate::Gate;
use crate::report::plan::Plan;
use crate::report::runs::Compared;
use serde_json::{Value, json};

pub(super) fn describe(paper: &mut Paper) {
    reports(paper);
    numbers(paper);
    account(paper);
    sessions(paper);
    health(paper);
}

fn language(operation: Operation<'_>) -> Operation<'_> {
    operation.query("lang", one_of(&["en", "ru"]), "`en` when absent.").tells(200, "ETag", "The version of its data.")
}

fn reports(paper: &mut Paper) {
    paper.topic(
        "Reports",
        "Modes compared: latency and success with intervals. docs/REPORTS.md tells what each figure is.",
    );
    for (path, id) in [("report", "report"), ("report.json", "reportJson")] {
        let path = format!("/api/v1/campaigns/{{campaign}}/{path}");
        let told = paper.get(&path, id, "The comparison").answers::<Report>(200, "The report.");
        language(told);
    }
    for (ending, id, kind) in [("csv", "reportCsv", "text/csv"), ("html", "reportHtml", "text/html")] {
        let path = format!("/api/v1/campaigns/{{campaign}}/report.{ending}");
        let told = paper.get(&path, id, "The comparison, to take away").sends(200, kind, text(), "The report.");
        let told = language(told);
        if id == "reportHtml" {
            told.query(
                "links",
                json!({ "type": "boolean" }),
                "Figures lead to the calls behind them, by the pages here.",
            );
        }
    }
    let mut gate = paper
        .get("/api/v1/campaigns/{campaign}/gate", "gate", "The newest run held against limits, for CI")
        .says("Without a limit these hold: `max_p95_regress=10%25` and `min_success=-2pp`.")
        .query("baseline", text(), "`last-night`, a run, or a mode of the campaign.")
        .query("run", text(), "The run that is judged; the newest when absent.");
    for (name, told) in [
        ("max_p50_regress", "How much slower the median may be: `10%`, or `150ms`."),
        ("max_p95_regress", "How much slower the 95th percentile may be."),
        ("min_success", "How far success may fall: `-2pp`."),
        ("min_reach", "How far the share of people reached may fall."),
        ("max_early_hangups", "How many more may hang up early."),
        ("max_late_greetings", "How many more may be greeted late."),
        ("max_silent", "How many more calls may stay silent."),
        ("max_faults", "How many more may break by a fault of ours or of the platform."),
        ("max_opt_outs", "How many more may ask never to be called again."),
    ] {
        gate = gate.query(name, text(), told);
    }
    gate.answers::<Gate>(200, "`outcome` is `passed`, `undecided` or `failed`.");
    paper
        .get("/api/v1/campaigns/{campaign}/plan", "plan", "How many calls and nights a comparison needs")
        .query("reach", share(), "Share of contacts with a human call; earlier runs tell it when absent.")
        .query("success", share(), "Share of human calls that reach the goal.")
        .answers::<Plan>(200, "The plan.");
    paper
        .get("/api/v1/reports/compare", "compareRuns", "Runs beside each other")
        .needs_query("runs", text(), "2 to 31 ids with commas between; the others are held against the first.")
        .answers::<Compared>(200, "The comparison.")
        .refuses(&[404, 422]);
    super::access::shares(paper);
    super::operation::slices(paper);
}

fn share() -> Value {
    json!({ "type": "number", "minimum": 0.001, "maximum": 0.999 })
}

fn numbers(paper: &mut Paper) {
    paper.topic("Numbers and people", "One number over all campaigns: who is never called again, who is a test phone.");
    paper
        .get("/api/v1/people", "findPeople", "Who is meant by a number, a name or an external id")
        .query("q", json!({ "type": "string", "maxLength": 200 }), "What somebody typed.")
        .page(50)
        .answers::<People>(200, "The newest first. Parts of names and numbers are looked for among 100 000 contacts at once: a page without anybody on it may have a `next`.")
        .links();
    paper
        .get("/api/v1/people/{contact}", "showPerson", "The person behind a contact: every campaign, every try")
        .answers::<Person>(200, "The person.");
    paper
        .get("/api/v1/numbers/{number}", "showNumber", "How a number stands now")
        .query("campaign", text(), "Whose caps, gaps and windows are asked.")
        .answers::<Number>(200, "How it stands.")
        .refuses(&[422]);
    paper
        .put("/api/v1/numbers/{number}/allow-list", "allowNumber", "From now on a test phone")
        .done(204, "Campaigns with purpose `test` may ring it at any hour.")
        .never(&[404])
        .refuses(&[422]);
    paper
        .delete("/api/v1/numbers/{number}/allow-list", "forbidNumber", "No test phone any more")
        .done(204, "It is none.")
        .never(&[404])
        .refuses(&[422]);
    paper
        .get("/api/v1/suppressions", "listSuppressions", "Who is never called, the newest first")
        .query("q", text(), "Digits of a number, or words of a reason.")
        .page(1000)
        .answers::<Suppressions>(200, "A page of them.")
        .links();
    super::access::erasure(paper);
    let suppress = paper
        .post("/api/v1/suppressions", "suppress", "Never called again: one number, or a list")
        .query("region", text(), "How national numbers of a list are read; `RU` when absent.")
        .query("reason", json!({ "type": "string", "maxLength": 500 }), "For rows that give none.")
        .takes::<SuppressOrder>(true, json!({ "number": "+79991234567", "reason": "asked by letter" }))
        .also_takes("text/csv", bytes())
        .also_takes(
            "multipart/form-data",
            json!({
                "type": "object", "required": ["contacts"], "properties": { "contacts": bytes() },
            }),
        )
        .answers::<Suppressed>(200, "A list: every row is accounted for.")
        .done(204, "One number: it is not called any more.")
        .refuses(&[422]);
    keyed(suppress);
    paper
        .delete("/api/v1/suppressions/{number}", "liftSuppression", "May be called again")
        .query("reason", json!({ "type": "string", "maxLength": 500 }), "Or in the body.")
        .takes::<LiftOrder>(false, json!({ "reason": "asked to be called again, by letter" }))
        .done(204, "It may be called.")
        .refuses(&[422]);
}

fn account(paper: &mut Paper) {
    paper.topic("The installation", "Is it dialling, and if not, why; how fast; who serves it.");
    paper.get("/api/v1/status", "status", "Is the whole installation dialling?").answers::<Status>(200, "In a line.");
    paper
        .get("/api/v1/overview", "overview", "Campaigns with their newest run, the newest first")
        .page(200)
        .answers::<Overview>(200, "A page of them.")
        .links();
    paper.get("/api/v1/pause", "showPause", "Whether everything is paused").answers::<Pauses>(200, "How it stands.");
    let pause = paper
        .post("/api/v1/pause", "pauseAll", "Nobody is dialled by any run")
        .takes::<Word>(false, json!({ "by": "anna", "reason": "complaints" }))
        .answers::<Pauses>(200, "Everything is paused.");
    keyed(pause);
    let resume = paper
        .post("/api/v1/resume", "resumeAll", "The pause of everything ends")
        .takes::<Word>(false, json!({ "by": "anna" }))
        .answers::<Pauses>(200, "Runs that are not paused themselves go on.");
    keyed(resume);
    paper
        .get("/api/v1/account", "showAccount", "The account at the platform: limits, pace, lines")
        .answers::<Account>(200, "How it stands.")
        .tells(200, "ETag", "Of its limits, for `If-Match`.");
    paper
        .put("/api/v1/account/limits", "setLimits", "The account's limits, obeyed at once by every node")
        .header("If-Match", text(), "The `ETag` that was read: refused with 412 where somebody was faster.")
        .takes::<LimitOrder>(true, json!({ "cps": 5, "lines": 20 }))
        .answers::<Account>(200, "They hold.")
        .tells(200, "ETag", "Of the limits that hold now.")
        .refuses(&[412, 415, 422]);
    paper.get("/api/v1/nodes", "listNodes", "Who serves this database").answers_many::<Node>("Each process.");
    paper
        .get("/api/v1/setup", "setup", "Whether everything is in place for a call, examined anew")
        .answers::<Setup>(200, "Each finding.")
        .never(&[503]);
    let deploy = paper
        .post("/api/v1/setup/deploy", "deploySetup", "Brings application, scenarios, rules and secrets to the provider")
        .says("With the server's own settings; a second time changes nothing.")
        .takes::<DeployOrder>(false, json!({ "dry_run": true }))
        .answers::<Deployed>(200, "What was changed, or would be.")
        .refuses(&[409, 422, 502]);
    keyed(deploy);
}

fn sessions(paper: &mut Paper) {
    paper.topic("Sessions", "What the provider's running scenarios ask and tell; docs/VOXIMPLANT.md tells the order.");
    paper
        .post("/voximplant/grant", "grant", "Permission to dial, once")
        .says("The body's own token is the secret. A scenario without a grant never dials.")
        .open()
        .takes::<GrantAsked>(
            true,
            json!({ "a": "att_01k9x2m4n8q7r", "t": "0123456789abcdef0123456789abcdef", "session_id": 1 }),
        )
        .answers::<Granted>(200, "Dial, within ten seconds of the grant.")
        .refuses(&[404, 409, 410]);
    paper
        .post("/voximplant/events", "sessionEvent", "What happened in a session; answered after the commit")
        .with("session")
        .takes::<SessionEvent>(
            true,
            json!({ "call_id": "att_01k9x2m4n8q7r", "event": "Ringing", "seq": 1, "at_ms": 900, "session_id": 1 }),
        )
        .answers::<Heard>(200, "It is kept.")
        .refuses(&[404, 409]);
    paper
        .post("/voximplant/inbound", "inbound", "Somebody rings back")
        .with("inbound")
        .takes::<Inbound>(true, json!({ "session_id": 1, "from": "+79990000001", "event": "Rang" }))
        .answers::<Heard>(200, "It is kept.");
    paper
        .post("/voice/dialog", "dialog", "What our side says next")
        .with("session")
        .takes::<TurnAsked>(
            true,
            json!({ "call_id": "att_01k9x2m4n8q7r", "turn": 1, "text": "Yes, speaking.", "is_final": true }),
        )
        .answers::<TurnReply>(200, "The whole reply, or what is said until there is one.")
        .refuses(&[404, 409]);
    paper
        .get("/voice/stream", "dialogStream", "The same sentence by sentence: a WebSocket of text")
        .says("Sends `{call_id, turn, text}`; hears `{turn, chunk}` for each sentence, then `{turn, done, …}` with the whole reply.")
        .with("session")
        .done(101, "The WebSocket is open.")
        .refuses(&[400, 426]);
    paper
        .get("/voice/media", "mediaStream", "A call's audio, to and from a realtime model: a WebSocket")
        .with("session")
        .needs_query("call_id", text(), "The attempt.")
        .query("encoding", text(), "How audio is sent to the platform: `ULAW` when absent; `ALAW`, `PCM8`, `PCM16`.")
        .done(101, "The WebSocket is open.")
        .refuses(&[404, 409, 426]);
}

fn health(paper: &mut Paper) {
    paper.topic("Health", "For whoever watches the process.");
    paper
        .get("/voximplant/health", "webhookHealth", "The webhooks' side is there")
        .open()
        .answers::<Health>(200, "It is.")
        .never(&[500, 503]);
    paper
        .get("/healthz", "healthz", "The process lives")
        .open()
        .sends(200, "text/plain", text(), "It does.")
        .never(&[500, 503]);
    paper.get("/readyz", "readyz", "The database answers").open().sends(200, "text/plain", text(), "It does.");
    paper
        .get("/api/openapi.json", "openapi", "This document")
        .open()
        .sends(200, "application/json", json!({ "type": "object" }), "OpenAPI 3.1.")
        .tells(200, "ETag", "Another version of the document has another.")
        .never(&[500, 503])
        .done(304, "It is what `If-None-Match` names.");
}
