//! From a list to a run, and a single call, by forms.

use super::{Browser, place};
use crate::harness::{self, number};

const FORM: &[(&str, &str)] = &[
    ("name", "by page"),
    ("purpose", "test"),
    ("policy", "safe"),
    ("timezone", "Europe/Moscow"),
    ("weight_dialog", "1"),
    ("weight_realtime", "1"),
    ("weight_realtime_pure", "0"),
    ("week_from", "09:00"),
    ("week_until", "20:00"),
    ("cps", "20"),
    ("lines", "20"),
    ("attempts_max", "2"),
    ("busy", "2m"),
    ("nightly", "02:30"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_becomes_a_campaign_and_a_run() {
    let place = place().await;
    let app = place.serve().await;
    let mut browser = Browser::signed_in(&app).await;
    let token = browser.get("/new").await.token();
    let mut form = vec![("form_token", token.as_str())];
    form.extend_from_slice(FORM);
    let list = format!("phone,name\n{0},Anna\n{0},Anna\n12,x\n{1},Oleg\n", number(0, 1), number(0, 2));
    let checked = browser.send_list("/new/check", &form, &list).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    assert!(checked.text.contains("<strong>4</strong> rows = <b>2</b> + 1 + 1"), "{}", checked.text);
    let wrong: Vec<_> = form.iter().map(|(k, v)| if *k == "cps" { (*k, "fast") } else { (*k, *v) }).collect();
    let refused = browser.send_list("/new/check", &wrong, &list).await;
    assert!(refused.status == 422 && refused.text.contains("dial.cps"), "{}", refused.text);
    let refused = browser.send_list("/new", &wrong, &list).await;
    assert!(refused.status == 422 && refused.text.contains("dial.cps"), "{}", refused.text);
    assert!(
        refused.text.contains("value=\"fast\"") && refused.text.contains("value=\"by page\""),
        "what was typed stays"
    );

    let made = browser.send_list("/new", &form, &list).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let start = made.to().to_owned();
    let question = browser.get(&start).await;
    assert!(question.text.contains("2\u{a0}people?"), "the page says how many are called: {}", question.text);
    let token = question.token();
    let run = browser.post(&start, &[("form_token", &token), ("reason", "to see it run")]).await;
    assert!(run.status == 303 && run.to().starts_with("/runs/run_"), "{}", run.text);
    let run = run.to().to_owned();
    let page = browser.get(&run).await;
    assert!(page.text.contains("to see it run"), "{}", page.text);
    let id = run.trim_start_matches("/runs/").parse().expect("an id");
    harness::completed(&app, id).await;
    // A run that is over is drawn once more, and its stream ends.
    let live = browser.get(&format!("{run}/live")).await;
    assert!(live.text.contains("event: last") && live.text.contains("completed"), "{}", live.text);
    let again = browser.order(&format!("{run}/pause"), &[]).await;
    assert_eq!(again.status, 409, "it is over");
    let schedules = browser.get("/schedules").await;
    assert_eq!(schedules.text.matches(", 02:30").count(), 5, "the next five firings: {}", schedules.text);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_number_is_called_and_followed() {
    let place = place().await;
    let app = place.serve().await;
    let mut browser = Browser::signed_in(&app).await;
    browser.get("/language/ru?to=/call").await;
    let form = browser.get("/call").await;
    for words in ["Наш LLM", "OpenAI Realtime (гибрид)", "OpenAI Realtime (чистый, только промпт)", "Позвонить"]
    {
        assert!(form.text.contains(words), "{words}: {}", form.text);
    }
    let wrong = browser.order("/call", &[("phone", "12"), ("mode", "realtime"), ("prompt", "Скажи привет.")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert!(wrong.text.contains("id=\"phone-fault\"") && wrong.text.contains("Скажи привет."), "{}", wrong.text);
    let phone = number(0, 3);
    let placed =
        browser.order("/call", &[("phone", &phone), ("mode", "realtime_pure"), ("prompt", "Скажи привет.")]).await;
    assert!(placed.status == 303 && placed.to().starts_with("/calls/att_"), "{} {}", placed.status, placed.text);
    let call = placed.to().to_owned();
    let live = browser.get(&format!("{call}/live")).await;
    assert!(live.text.contains("event: last"), "it is followed to its end: {}", live.text);
    let page = browser.get(&call).await;
    assert!(page.text.contains("Скажи привет.") && page.text.contains("ответили"), "{}", page.text);
    app.stop().await;
}
