//! The admin page over real HTTP, as a browser asks for it: who gets in, what a form needs, and that nothing that
//! people write becomes a part of the page. What a person sees and presses is tried in `tests/browser.rs`.

mod harness;

#[path = "page/access.rs"]
mod access;
#[path = "page/doors.rs"]
mod doors;
#[path = "page/making.rs"]
mod making;
#[path = "page/reports.rs"]
mod reports;

use halo::app::App;
use harness::{KEY, Place, World, number, settings};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};

/// Somebody with a browser: cookies are kept, redirects are told.
struct Browser {
    client: reqwest::Client,
    base: String,
    cookies: Vec<(String, String)>,
    language: &'static str,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn to(&self) -> &str {
        self.headers.get(LOCATION).map(|to| to.to_str().expect("text")).unwrap_or_default()
    }

    /// The token of the page's first form.
    fn token(&self) -> String {
        let after = self.text.split("name=\"form_token\" value=\"").nth(1).expect("a form with its token");
        after.split('"').next().expect("its value").to_owned()
    }
}

impl Browser {
    fn of(app: &App) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Browser { client, base: format!("http://{}", app.address), cookies: Vec::new(), language: "en" }
    }

    async fn signed_in(app: &App) -> Self {
        let mut browser = Browser::of(app);
        let answer = browser.post("/sign-in", &[("key", KEY), ("to", "/"), ("zone", "Europe/Moscow")]).await;
        assert_eq!((answer.status, answer.to()), (303, "/"), "{}", answer.text);
        browser
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("cookie", cookies.join("; ")).header("accept", "text/html");
        let answer = request.header("accept-language", self.language).send().await.expect("the service answers");
        for set in answer.headers().get_all(SET_COOKIE) {
            let text = set.to_str().expect("text");
            let (name, rest) = text.split_once('=').expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), rest.split(';').next().unwrap_or_default().to_owned()));
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.expect("a body") }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let request = self.client.get(format!("{}{path}", self.base));
        self.send(request).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.client.post(format!("{}{path}", self.base)).form(fields);
        self.send(request).await
    }

    /// A form of this browser's session.
    async fn order(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get("/").await.token();
        let mut all = vec![("form_token", token.as_str())];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    async fn send_list(&mut self, path: &str, fields: &[(&str, &str)], list: &str) -> Answer {
        let mut body = String::new();
        for (name, value) in fields {
            body += &format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        body += "--seam\r\nContent-Disposition: form-data; name=\"contacts\"; filename=\"people.csv\"\r\n\
                 Content-Type: text/csv\r\n\r\n";
        body += &format!("{list}\r\n--seam--\r\n");
        let request = self.client.post(format!("{}{path}", self.base));
        self.send(request.header("content-type", "multipart/form-data; boundary=seam").body(body)).await
    }
}

async fn place() -> Place {
    Place::new(World { speed: 120.0, ..World::default() }).await
}

const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

/// A campaign whose every text wants to be more than text, with a run that is over.
async fn hostile_campaign(app: &App) -> (String, String) {
    let cell = HOSTILE.replace('"', "\"\"");
    let list = format!(
        "phone,name,external_id,note\n{},\"{cell}\",\"{cell}\",\"{cell}\"\n{},Anna,a-1,x\n",
        number(0, 1),
        number(0, 70)
    );
    let (campaign, run) = harness::whole_run(app, &settings("hostile", ""), &list).await;
    (campaign.to_string(), run.to_string())
}

/// The guards: askama's escaping (no `|safe` on a text of somebody else), the policy in `routes::harden`. `Shell::mode`,
/// which makes an element of a name, is tried beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_made_in_both_languages_and_nothing_written_runs() {
    let place = place().await;
    let app = place.serve().await;
    let (campaign, run) = hostile_campaign(&app).await;
    let mut browser = Browser::signed_in(&app).await;
    let attempts = harness::attempts(&app, campaign.parse().expect("an id")).await;
    let call = halo::domain::AttemptId(attempts[0].attempt_id);
    let contact = halo::domain::ContactId(attempts[0].contact_id);
    let suppressed = browser.order("/suppressions", &[("number", "+79990000077"), ("reason", HOSTILE)]).await;
    assert_eq!(suppressed.status, 303, "{}", suppressed.text);
    let paused = browser.order("/all/pause", &[("reason", HOSTILE), ("to", "/")]).await;
    assert_eq!(paused.status, 303);
    let searched = format!("/people?q={}", "%3Cscript%3Ealert%28");
    let pages = [
        "/".to_owned(),
        "/new".to_owned(),
        "/call".to_owned(),
        format!("/call?phone={}", "%22%3E%3Cscript%3Ealert%281%29"),
        format!("/campaigns/{campaign}"),
        format!("/campaigns/{campaign}/start"),
        format!("/campaigns/{campaign}/report"),
        format!("/campaigns/{campaign}/report/slices"),
        format!("/campaigns/{campaign}/report/slices?by=column%3Anote"),
        format!("/campaigns/{campaign}/report/slices?by=hour&label=%3Cscript%3Ealert&mode=%22%3E%3Cscript"),
        format!("/campaigns/{campaign}/calls?mode=dialog&night=1"),
        format!("/campaigns/{campaign}/calls?mode=%22%3E%3Cscript%3Ealert"),
        format!("/runs/{run}"),
        format!("/calls/{call}"),
        format!("/people/{contact}"),
        "/people".to_owned(),
        searched,
        "/schedules".to_owned(),
        "/suppressions?find=%22%3E%3Cscript%3E".to_owned(),
        "/modes".to_owned(),
        "/setup".to_owned(),
        "/access".to_owned(),
        "/webhooks".to_owned(),
        "/line".to_owned(),
    ];
    for language in ["en", "ru"] {
        browser.get(&format!("/language/{language}?to=/")).await;
        for path in &pages {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            for raw in ["<script>alert", "<img src=x", "\"><script"] {
                assert!(!page.text.contains(raw), "{path} holds {raw}");
            }
            let policy = page.headers["content-security-policy"].to_str().expect("text");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(page.headers["cache-control"], "no-store", "{path}");
            if path != "/line" {
                assert!(page.text.contains(&format!("<html lang=\"{language}\"")), "{path}");
                assert!(
                    !page.text.contains(" style=\"") && !page.text.contains(" onclick="),
                    "{path}: the policy forbids it"
                );
            }
        }
    }
    let person = browser.get(&format!("/people/{contact}")).await;
    assert!(person.text.contains("&#60;script&#62;alert"), "it is shown as it was written");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_handed_on_as_the_api_makes_them() {
    let place = place().await;
    let app = place.serve().await;
    let (campaign, _) = hostile_campaign(&app).await;
    let mut browser = Browser::signed_in(&app).await;
    for (name, kind) in [
        ("contacts.csv", "text/csv"),
        ("rejects.csv", "text/csv"),
        ("report.html", "text/html"),
        ("report.json", "application/json"),
    ] {
        let file = browser.get(&format!("/campaigns/{campaign}/files/{name}")).await;
        assert_eq!(file.status, 200, "{name}");
        assert!(file.headers["content-type"].to_str().expect("text").starts_with(kind), "{name}");
    }
    // The report has a policy of its own: styles inside, and no script at all.
    let report = browser.get(&format!("/campaigns/{campaign}/files/report.html")).await;
    assert!(!report.headers["content-security-policy"].to_str().expect("text").contains("script-src"));
    assert!(!report.text.contains("href="), "what is kept in a file leads nowhere");
    // The guard: `links` in `render/html.rs`. Each figure leads to the calls behind it, and each of them to its page.
    let led = browser.get(&format!("/campaigns/{campaign}/files/report.html?links=true")).await;
    let behind = format!("/campaigns/{campaign}/calls?mode=dialog");
    assert!(led.text.matches(&format!("href=\"{behind}\"")).count() > 10, "{}", led.text);
    assert!(led.text.contains(&format!("href=\"{behind}&amp;night=1\"")));
    let calls = browser.get(&behind).await;
    let call = calls.text.split("href=\"/calls/").nth(1).and_then(|rest| rest.split('"').next()).expect("a call");
    assert_eq!(browser.get(&format!("/calls/{call}")).await.status, 200);
    assert_eq!(browser.get(&format!("/campaigns/{campaign}/files/..%2F..%2Fnodes")).await.status, 404);
    app.stop().await;
}
