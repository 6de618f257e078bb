//! Every operation called: with what it takes, with what it does not, and without a key.

use crate::checker::Checker;
use crate::harness::{self, KEY, Place, World, csv, number, settings, until};
use crate::operations;
use halo::app::App;
use halo::http::openapi::document;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What stands in the places of an address, by their names.
pub type At<'a> = &'a [(&'a str, &'a str)];

/// A request to an operation.
pub struct Asked<'a> {
    round: &'a mut Round,
    id: String,
    path: String,
    request: reqwest::RequestBuilder,
}

pub struct Round {
    pub address: String,
    pub checker: Checker,
    client: reqwest::Client,
    /// The first good answer of each operation that is JSON.
    pub examples: BTreeMap<String, Value>,
}

pub struct Answer {
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Round {
    pub fn of(app: &App) -> Self {
        Round {
            address: format!("http://{}", app.address),
            checker: Checker::new(document()),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client"),
            examples: BTreeMap::new(),
        }
    }

    /// `at`: what stands in the place of the names in the address, and behind it.
    pub fn ask(&mut self, id: &str, at: At<'_>) -> Asked<'_> {
        let (mut path, method, _) = self.checker.operation(id);
        for (name, value) in at {
            path = path.replace(&format!("{{{name}}}"), value);
            if *name == "?" {
                path = format!("{path}?{value}");
            }
        }
        let method = method.to_uppercase().parse().expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.address)).bearer_auth(KEY);
        Asked { round: self, id: id.to_owned(), path, request }
    }

    /// As `ask`, with nothing more to say.
    pub async fn get(&mut self, id: &str, at: &[(&str, &str)], status: u16) -> Value {
        self.ask(id, at).gives(status).await.body
    }
}

impl Asked<'_> {
    pub fn json(mut self, body: Value) -> Self {
        self.request = self.request.json(&body);
        self
    }

    pub fn body(mut self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("content-type", kind).body(body);
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With another secret than the key.
    pub fn with(mut self, token: &str) -> Self {
        let mut built = self.request.build().expect("a request");
        built.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        self.request = reqwest::RequestBuilder::from_parts(self.round.client.clone(), built);
        self
    }

    pub fn form(self, fields: &[(&str, &[u8])]) -> Self {
        let mut body = Vec::new();
        for (name, bytes) in fields {
            let file = if *name == "contacts" { "; filename=\"people.csv\"" } else { "" };
            body.extend_from_slice(
                format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--seam--\r\n");
        self.body("multipart/form-data; boundary=seam", body)
    }

    pub async fn gives(self, status: u16) -> Answer {
        let Asked { round, id, path, request } = self;
        let answer = request.send().await.expect("the service answers");
        let (came, headers) = (answer.status().as_u16(), answer.headers().clone());
        let kind = headers.get("content-type").map(|kind| kind.to_str().expect("text").to_owned()).unwrap_or_default();
        // A stream ends with what it follows; an upgraded connection has no body.
        let bytes = if came == 101 { Vec::new() } else { answer.bytes().await.expect("a body").to_vec() };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(came, status, "{id} {path}: {}", text.chars().take(600).collect::<String>());
        round.checker.answer_holds(&id, came, &kind, &text);
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if came < 300 && kind == "application/json" && id != "openapi" {
            round.examples.entry(id).or_insert_with(|| body.clone());
        }
        Answer { headers, body }
    }
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is a text: {value}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_does_what_the_document_says() {
    let place = Place::new(World { speed: 40.0, ..World::default() }).await;
    let app = place.serve().await;
    let mut round = Round::of(&app);
    let run = lists(&mut round, &app).await;
    runs(&mut round, &app, &run).await;
    reports(&mut round, &run).await;
    crate::access::slices(&mut round, &run.0).await;
    crate::access::judged(&mut round, &run.1).await;
    crate::access::links(&mut round, &run.0).await;
    numbers(&mut round).await;
    installation(&mut round).await;
    crate::access::webhooks(&mut round).await;
    crate::access::kept(&mut round).await;
    let viewer = crate::access::keys(&mut round).await;
    crate::sessions::play(&mut round).await;
    crate::access::restored(&mut round, &app).await;
    without_a_key(&mut round).await;
    crate::access::of_a_lesser_role(&mut round, &viewer).await;
    app.stop().await;

    let mut missed = Vec::new();
    for (path, method, operation) in operations(document()) {
        let id = operation["operationId"].as_str().expect("a name");
        let seen = round.checker.seen.get(id).cloned().unwrap_or_default();
        if !seen.iter().any(|status| *status < 400) {
            missed.push(format!("{id} ({method} {path}) never with a good request"));
        }
        let refuses = operation["responses"].as_object().expect("answers").keys().any(|status| status.starts_with('4'));
        if refuses && !seen.iter().any(|status| (400..500).contains(status)) {
            missed.push(format!("{id} ({method} {path}) never with a bad request"));
        }
    }
    assert!(missed.is_empty(), "operations that nobody called:\n{}", missed.join("\n"));
    let examples = std::mem::take(&mut round.examples);
    round.checker.end_of_faults();
    if std::env::var_os("HALO_WRITE_EXAMPLES").is_some() {
        write(examples);
    }
}

/// One of each thing is enough to see what it is.
fn short(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().take(1).map(short).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, short(field))).collect(),
        Value::String(text) if text.chars().count() > 200 => {
            Value::String(text.chars().take(200).collect::<String>() + "…")
        }
        other => other,
    }
}

fn write(examples: BTreeMap<String, Value>) {
    let mut examples: BTreeMap<String, Value> = examples.into_iter().map(|(id, body)| (id, short(body))).collect();
    // The same as `reportJson`.
    examples.remove("report");
    // Told once, and to nobody else.
    for (id, field) in [("addKey", "key"), ("addWebhook", "secret"), ("renewWebhookSecret", "secret")] {
        examples.get_mut(id).expect("what was made")[field] = json!("…");
    }
    for (id, place) in [("recording", "/url"), ("shareReport", "/url"), ("listShares", "/items/0/url")] {
        let url = examples.get_mut(id).and_then(|example| example.pointer_mut(place)).expect("a link");
        *url = json!(url.as_str().expect("a text").split("by=").next().expect("a piece").to_owned() + "by=…");
    }
    // What belongs to the machine that ran this, and to nobody else.
    examples.get_mut("listNodes").expect("nodes")[0]["host"] = json!("halo-1");
    examples.get_mut("grant").expect("a grant")["event_token"] = json!("0f".repeat(32));
    let text = serde_json::to_string_pretty(&examples).expect("JSON") + "\n";
    let mut pieces = text.split("127.0.0.1:");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text += "127.0.0.1:8000";
        text += piece.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    std::fs::write(Path::new(crate::ROOT).join("src/http/openapi/examples.json"), text).expect("written");
}

/// Lists come in, are looked at and taken away; returns the ids of the campaign, and of its run.
async fn lists(round: &mut Round, app: &App) -> (String, String) {
    let toml = settings("evening", "modes = { dialog = 1, greeting = 1 }")
        .replace("[dial]", "[dial]\nrecord = true\namd = \"mark\"");
    let list = csv((0..4).map(|ending| number(0, ending)).chain([number(0, 3), "12".to_owned(), number(0, 75)]));
    let form: &[(&str, &[u8])] = &[("settings", toml.as_bytes()), ("contacts", list.as_bytes())];
    round.ask("checkList", &[]).form(form).gives(200).await;
    round.ask("checkList", &[("?", "region=US&delimiter=comma")]).body("text/csv", list.clone()).gives(200).await;
    round.ask("checkList", &[]).form(&[("settings", b"name = 1")]).gives(422).await;
    round.ask("createCampaign", &[]).form(&[("settings", toml.as_bytes())]).gives(400).await;
    round.ask("createCampaign", &[("?", "quote=`")]).form(form).gives(422).await;
    let made = round.ask("createCampaign", &[]).header("idempotency-key", "list-1").form(form).gives(201).await.body;
    let again = round.ask("createCampaign", &[]).header("idempotency-key", "list-1").form(form).gives(200).await;
    assert_eq!((again.headers["idempotency-replayed"].to_str().unwrap(), &again.body["id"]), ("true", &made["id"]));
    let other = csv([number(0, 9)]);
    let other: &[(&str, &[u8])] = &[("settings", toml.as_bytes()), ("contacts", other.as_bytes())];
    round.ask("createCampaign", &[]).header("idempotency-key", "list-1").form(other).gives(422).await;
    let campaign = text(&made, "id").to_owned();
    let at: At<'_> = &[("campaign", &campaign)];

    let further = json!([{ "phone": number(0, 5), "name": "Anna", "city": "Ufa" }]);
    round.ask("checkFurtherList", at).json(further.clone()).gives(200).await;
    round.ask("checkFurtherList", at).json(json!("no rows")).gives(422).await;
    round.ask("appendContacts", at).json(further.clone()).gives(201).await;
    round.ask("appendContacts", at).json(further).gives(200).await;
    round.ask("appendContacts", at).json(json!({})).gives(422).await;
    round.get("followUpload", &[("key", "nobody")], 404).await;
    followed(round, app).await;

    round.get("listCampaigns", &[("?", "limit=1")], 200).await;
    round.get("listCampaigns", &[("?", "after=x")], 400).await;
    round.get("showCampaign", at, 200).await;
    round.get("showCampaign", &[("campaign", "nobody")], 404).await;
    let page = round.ask("listContacts", &[("campaign", &campaign), ("?", "limit=2")]).gives(200).await;
    assert!(page.headers["link"].to_str().unwrap().contains("/contacts?after=con_"), "{:?}", page.headers);
    round.get("listContacts", &[("campaign", &campaign), ("?", "after=1")], 400).await;
    settings_of(round, &campaign).await;
    let copy = json!({ "name": "copy", "settings": { "dial": { "cps": 1 } } });
    round.ask("cloneCampaign", at).json(copy).gives(201).await;
    round.ask("cloneCampaign", at).json(json!({ "name": " " })).gives(400).await;
    for id in ["previewCampaign", "outlook", "proveCampaign"] {
        round.get(id, at, 200).await;
        round.get(id, &[("campaign", "nobody")], 404).await;
    }
    for id in ["listModes", "listPolicies"] {
        round.get(id, &[], 200).await;
    }
    let nightly = settings("nightly", "[schedule]\ncron = \"0 2 * * *\"\ntimezone = \"Europe/Moscow\"\n");
    let list = csv([number(1, 0)]);
    let form: &[(&str, &[u8])] = &[("settings", nightly.as_bytes()), ("contacts", list.as_bytes())];
    round.ask("createCampaign", &[]).form(form).gives(201).await;
    round.get("listSchedules", &[], 200).await;
    round.get("listSchedules", &[("?", "after=x")], 400).await;
    round.get("template", &[("?", "language=ru")], 200).await;
    round.get("template", &[("?", "tongue=ru")], 400).await;

    round.ask("startRun", at).json(json!({ "starts_at": "tomorrow" })).gives(400).await;
    let begin = json!({ "by": "a test" });
    let first = round.ask("startRun", at).header("idempotency-key", "run-1").json(begin.clone()).gives(201).await;
    assert!(first.headers.get("idempotency-replayed").is_none());
    let again = round.ask("startRun", at).header("idempotency-key", "run-1").json(begin).gives(201).await;
    assert_eq!((again.headers["idempotency-replayed"].to_str().unwrap(), &again.body), ("true", &first.body));
    (campaign, text(&first.body, "id").to_owned())
}

/// An upload that is under way: its body comes in two pieces, and somebody asks in between.
async fn followed(round: &mut Round, app: &App) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (first, rest) = ("phone\n", format!("{}\n", number(0, 6)));
    let head = format!(
        "POST /api/v1/campaigns/evening/contacts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: text/csv\r\nidempotency-key: slow\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{first}",
        first.len() + rest.len()
    );
    let mut stream = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("the first piece");
    let address = round.address.clone();
    until("the upload is under way", || {
        let asked = reqwest::Client::new().get(format!("{address}/api/v1/uploads/slow/events")).bearer_auth(KEY).send();
        async { (asked.await.ok()?.status() == 200).then_some(()) }
    })
    .await;
    let ending = async {
        stream.write_all(rest.as_bytes()).await.expect("the rest");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    };
    let (told, ended) = tokio::join!(round.get("followUpload", &[("key", "slow")], 200), ending);
    assert!(told.as_str().unwrap().contains("event: progress"), "{told}");
    assert!(ended.starts_with("HTTP/1.1 201"), "{ended}");
}

async fn settings_of(round: &mut Round, campaign: &str) {
    let at: At<'_> = &[("campaign", campaign)];
    let shown = round.ask("showSettings", at).gives(200).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let slower = json!({ "dial": { "lines": 50 }, "by": "a test" });
    let changed = round.ask("changeSettings", at).header("if-match", &tag).json(slower).gives(200).await;
    assert_ne!(changed.headers["etag"].to_str().unwrap(), tag);
    let late = json!({ "dial": { "lines": 40 } });
    round.ask("changeSettings", at).header("if-match", &tag).json(late).gives(412).await;
    round.ask("changeSettings", at).json(json!({ "dial": { "lines": "many" } })).gives(422).await;
    round.ask("changeSettings", at).json(json!([])).gives(400).await;
    round.ask("changeSettings", at).body("text/plain", "{}").gives(415).await;
    round.get("showSettings", at, 200).await;
    round.get("showSettings", &[("campaign", "nobody")], 404).await;
}

/// What runs and attempts tell, while it goes on and at its end.
async fn runs(round: &mut Round, app: &App, (campaign, run): &(String, String)) {
    let (of, at): (At<'_>, At<'_>) = (&[("campaign", campaign)], &[("run", run)]);
    let nowhere: At<'_> = &[("run", "run_0000000000000")];
    round.ask("pauseRun", at).json(json!({ "by": "a test", "reason": "a pause" })).gives(200).await;
    round.ask("pauseRun", at).json(json!({ "who": "?" })).gives(400).await;
    round.get("showRunLive", at, 200).await;
    round.get("status", &[], 200).await;
    round.ask("resumeRun", at).json(json!({ "hold_after": 0 })).gives(400).await;
    round.ask("resumeRun", at).gives(200).await;
    harness::completed(app, run.parse().unwrap()).await;
    for id in ["showRun", "showRunLive", "newestAttempts", "followRun"] {
        round.get(id, at, 200).await;
        round.get(id, nowhere, 404).await;
    }
    for id in ["pauseRun", "resumeRun", "drainRun"] {
        round.ask(id, at).gives(409).await;
    }
    round.get("listRuns", &[("campaign", campaign), ("?", "limit=1")], 200).await;
    round.get("listRuns", &[("campaign", campaign), ("?", "after=x")], 400).await;
    let attempts = round.get("listAttempts", of, 200).await;
    round.get("listAttempts", &[("campaign", campaign), ("?", "limit=x")], 400).await;
    let items = attempts["items"].as_array().expect("attempts");
    let ended = |outcome: &str| items.iter().find(|item| item["outcome"] == outcome).map(|item| text(item, "id"));
    let (talked, busy) = (ended("answered").expect("somebody answered"), ended("busy").expect("somebody was busy"));
    for attempt in items {
        round.get("showAttempt", &[("attempt", text(attempt, "id"))], 200).await;
        round.get("followAttempt", &[("attempt", text(attempt, "id"))], 200).await;
        round.get("toldAttempt", &[("attempt", text(attempt, "id"))], 200).await;
    }
    for id in ["showAttempt", "followAttempt", "toldAttempt", "hangUp", "recording", "sessionLog"] {
        round.ask(id, &[("attempt", "att_nobody")]).gives(404).await;
    }
    round.ask("hangUp", &[("attempt", talked)]).gives(409).await;
    crate::access::listened(round, talked).await;
    round.get("recording", &[("attempt", busy)], 404).await;
    round.get("sessionLog", &[("attempt", talked)], 200).await;
    round.ask("sessionLog", &[("attempt", talked)]).header("range", "lines=1").gives(400).await;
    let contact = text(&items[0], "contact").to_owned();
    round.get("why", &[("contact", &contact)], 200).await;
    round.get("why", &[("contact", "nobody")], 404).await;
    round.get("whyInCampaign", &[("campaign", campaign), ("contact", &contact)], 200).await;
    round.get("whyInCampaign", &[("campaign", campaign), ("contact", "nobody")], 404).await;
    round.get("showPerson", &[("contact", &contact)], 200).await;
    round.get("showPerson", &[("contact", "con_nobody")], 404).await;

    // A run that is still open, and a call in it.
    let slow = settings("slow", "mode = \"dialog\"").replace("cps = 20", "cps = 0.5");
    let list = csv((0..30).map(|ending| number(2, ending)));
    let form: &[(&str, &[u8])] = &[("settings", slow.as_bytes()), ("contacts", list.as_bytes())];
    round.ask("createCampaign", &[]).form(form).gives(201).await;
    let open = round.ask("startRun", &[("campaign", "slow")]).gives(201).await.body;
    let open: At<'_> = &[("run", text(&open, "id"))];
    round.ask("drainRun", open).json(json!({ "by": "a test" })).gives(200).await;
    round.ask("stopRun", open).json(json!({ "hang_up": true })).gives(200).await;
    round.ask("stopRun", open).json(json!({ "hang_up": "yes" })).gives(400).await;
    let call =
        json!({ "phone": number(3, 80), "mode": "dialog", "purpose": "test", "prompt": "Say hello. Say goodbye." });
    let placed = round.ask("placeCall", &[]).header("idempotency-key", "call-1").json(call.clone()).gives(201).await;
    let again = round.ask("placeCall", &[]).header("idempotency-key", "call-1").json(call).gives(201).await;
    assert_eq!((&again.body, &again.headers["location"]), (&placed.body, &placed.headers["location"]));
    let other = json!({ "phone": number(3, 2) });
    round.ask("placeCall", &[]).header("idempotency-key", "call-1").json(other).gives(422).await;
    round.ask("placeCall", &[]).json(json!({ "phone": "12" })).gives(422).await;
    let attempt = text(&placed.body, "attempt").to_owned();
    hung_up(round, &attempt).await;
    round.get("followAttempt", &[("attempt", &attempt)], 200).await;
}

/// As soon as the call is live: its phone rings for a second of ours, and nobody answers.
async fn hung_up(round: &mut Round, attempt: &str) {
    let url = format!("{}/api/v1/attempts/{attempt}", round.address);
    until("the call is live", || {
        let asked = reqwest::Client::new().get(&url).bearer_auth(KEY).send();
        async { (asked.await.ok()?.json::<Value>().await.ok()?["state"] == "live").then_some(()) }
    })
    .await;
    // There is no way into its session before its start is answered.
    let asked = || reqwest::Client::new().post(format!("{url}/hangup")).bearer_auth(KEY).send();
    let told = until("a word", async || asked().await.ok().filter(|answer| answer.status() == 202)).await;
    round.checker.answer_holds("hangUp", 202, "application/json", &told.text().await.expect("a body"));
}

async fn reports(round: &mut Round, (campaign, run): &(String, String)) {
    let (at, nobody): (At<'_>, At<'_>) = (&[("campaign", campaign)], &[("campaign", "nobody")]);
    for id in ["report", "reportJson", "reportCsv", "reportHtml", "gate", "plan"] {
        round.get(id, at, 200).await;
        round.get(id, nobody, 404).await;
    }
    round.get("reportCsv", &[("campaign", campaign), ("?", "lang=de")], 400).await;
    let export = round.get("export_attempts_csv", at, 200).await;
    let export = export.as_str().expect("a text").to_owned();
    let verified = round.ask("verifyReport", at).body("text/csv", export).gives(200).await.body;
    assert_eq!(verified["verified"], "same", "{verified}");
    round.ask("verifyReport", at).body("text/csv", "phone\n1\n").gives(422).await;
    let limits = "baseline=dialog&max_p50_regress=10%25&max_p95_regress=150ms&min_success=-2pp&max_silent=1pp";
    round.get("gate", &[("campaign", campaign), ("?", limits)], 200).await;
    round.get("gate", &[("campaign", campaign), ("?", "max_p95_regress=ten")], 400).await;
    round.get("plan", &[("campaign", campaign), ("?", "reach=2")], 400).await;
    let again = round.ask("startRun", at).json(json!({ "only": { "outcomes": ["busy"] } })).gives(201).await.body;
    let both = format!("runs={run},{}", text(&again, "id"));
    round.get("compareRuns", &[("?", &both)], 200).await;
    round.get("compareRuns", &[("?", "runs=x")], 400).await;
    for (path, _, operation) in operations(document()) {
        let id = operation["operationId"].as_str().expect("a name");
        if !id.starts_with("export_") {
            continue;
        }
        round.get(id, at, 200).await;
        round.get(id, &[("campaign", campaign), ("?", "marks=1")], 400).await;
        if path.contains("{campaign}") {
            round.get(id, nobody, 404).await;
        }
        round.get(id, &[("campaign", campaign), ("?", "delimiter=dot")], 422).await;
    }
}

async fn numbers(round: &mut Round) {
    let gone = number(0, 94);
    let at: At<'_> = &[("number", &gone)];
    let order = json!({ "number": gone, "reason": "asked by letter" });
    round.ask("suppress", &[]).json(order).gives(204).await;
    round.ask("suppress", &[]).json(json!({ "number": "12" })).gives(422).await;
    let list = format!("{},twice\n12,wrong\n", csv([number(0, 95), number(0, 95)]).trim_end());
    round.ask("suppress", &[("?", "region=RU&reason=a%20list")]).body("text/csv", list).gives(200).await;
    let page = round.ask("listSuppressions", &[("?", "q=letter&limit=1")]).gives(200).await;
    let link = page.headers["link"].to_str().unwrap();
    assert!(link.contains("/suppressions?q=letter&after="), "{link}");
    round.get("listSuppressions", &[("?", "after=x")], 400).await;
    round.get("showNumber", at, 200).await;
    round.get("showNumber", &[("number", &gone), ("?", "campaign=evening")], 200).await;
    round.get("showNumber", &[("number", "12")], 422).await;
    round.ask("liftSuppression", at).json(json!({ "reason": "asked again, by letter" })).gives(204).await;
    round.ask("liftSuppression", at).gives(404).await;
    for id in ["allowNumber", "forbidNumber"] {
        round.ask(id, at).gives(204).await;
        round.ask(id, &[("number", "12")]).gives(422).await;
    }
    round.get("findPeople", &[("?", "q=%2B7999000")], 200).await;
    round.get("findPeople", &[("?", "who=x")], 400).await;
}

async fn installation(round: &mut Round) {
    round.get("overview", &[("?", "limit=1")], 200).await;
    round.get("overview", &[("?", "after=x")], 400).await;
    for id in ["showPause", "listNodes", "setup"] {
        round.get(id, &[], 200).await;
    }
    let would = round.ask("deploySetup", &[]).json(json!({ "dry_run": true })).gives(200).await.body;
    assert_eq!((&would["dry_run"], would["changes"].is_array()), (&json!(true), true), "{would}");
    round.ask("deploySetup", &[]).json(json!({ "bind_numbers": ["12"] })).gives(400).await;
    let not_ours = json!({ "dry_run": true, "bind_numbers": [number(3, 99)] });
    round.ask("deploySetup", &[]).json(not_ours).gives(422).await;
    round.ask("pauseAll", &[]).json(json!({ "by": "a test" })).gives(200).await;
    round.ask("pauseAll", &[]).body("application/json", "{").gives(400).await;
    round.get("status", &[], 200).await;
    let held = round.ask("placeCall", &[]).json(json!({ "phone": number(3, 3) })).gives(409).await.body;
    assert_eq!(held["code"], "paused");
    round.ask("resumeAll", &[]).gives(200).await;
    round.ask("resumeAll", &[]).json(json!([1])).gives(400).await;
    let shown = round.ask("showAccount", &[]).gives(200).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let limits = json!({ "cps": 50, "lines": null });
    round.ask("setLimits", &[]).header("if-match", &tag).json(limits.clone()).gives(200).await;
    round.ask("setLimits", &[]).header("if-match", &tag).json(limits).gives(412).await;
    round.ask("setLimits", &[]).json(json!({ "cps": "fast" })).gives(422).await;
    round.ask("setLimits", &[]).body("text/plain", "{}").gives(415).await;
    for id in ["webhookHealth", "healthz", "readyz"] {
        round.get(id, &[], 200).await;
    }
    let document = round.ask("openapi", &[]).gives(200).await;
    let tag = document.headers["etag"].to_str().unwrap().to_owned();
    round.ask("openapi", &[]).header("if-none-match", &tag).gives(304).await;
}

/// Everything that needs a key is refused without one, and says so as the document has it.
async fn without_a_key(round: &mut Round) {
    let keyed: Vec<String> = operations(document())
        .filter(|(_, _, operation)| operation["security"] == json!([{ "key": [] }]))
        .map(|(_, _, operation)| operation["operationId"].as_str().expect("a name").to_owned())
        .collect();
    assert!(keyed.len() > 50, "{keyed:?}");
    for id in keyed {
        // An empty one: who tries wrong ones too often is heard no more.
        round.ask(&id, &[]).with("").gives(401).await;
    }
}
