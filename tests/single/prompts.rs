//! What a single call's prompt, language and voice become in each mode.

use crate::harness::{csv, number, settings};
use crate::{ask, attempt, dead_sessions, ended, fast, grant, placed};
use halo::http::import::{Here, ImportError, Upload, import};
use serde_json::{Value, json};

const SCRIPTED: &str = "Be kind.\nPHASE 1 hello: «Здравствуйте, это Ромашка.»\n\
                        PHASE 2 time: «Вам удобно сейчас говорить?»\nEND: «Пока-пока.»";
const FREE: &str = "Добрый день! Это Ромашка. Хотим проверить связь.";

/// What a mode is told, as its session receives it.
async fn granted(app: &halo::app::App, place: &crate::Place, nth: u32, order: Value) -> Value {
    let mut order = order;
    order["phone"] = json!(number(2, nth));
    let id = placed(app, order).await;
    let (status, grant) = grant(place, app, &id, 100 + i64::from(nth)).await;
    assert_eq!(status, 200, "{grant}");
    let mut grant = grant;
    grant["told"] = attempt(app, &id).await["told"].clone();
    grant
}

/// Without the prompt in what is told, the mode says the built-in script.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_replaces_the_script_in_every_mode() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let text = |grant: &Value, key: &str| grant[key].as_str().unwrap_or_default().to_owned();
    for (nth, mode) in (0..).step_by(4).zip(["dialog", "realtime", "realtime_pure", "greeting"]) {
        let plain = granted(&app, &place, nth, json!({ "mode": mode })).await;
        let scripted = granted(&app, &place, nth + 1, json!({ "mode": mode, "prompt": SCRIPTED })).await;
        let free = granted(&app, &place, nth + 2, json!({ "mode": mode, "prompt": FREE })).await;
        assert!(plain["told"] != scripted["told"] && plain["told"] != free["told"] && scripted["told"] != free["told"]);
        assert!(!text(&plain, "first_phrase").contains("Ромашка"));

        assert!(text(&scripted, "first_phrase").starts_with("Здравствуйте, это Ромашка."), "{mode}: {scripted}");
        let told = text(&scripted, "instructions");
        match mode {
            "dialog" | "realtime_pure" => {
                assert!(told.starts_with("Be kind.\n") && told.contains("PHASE 2 time: «Вам удобно"), "{mode}: {told}");
                assert_eq!(told.matches("PHASE 1 hello").count(), 1, "{mode}: {told}");
            }
            "realtime" => assert!(told.starts_with("Be kind.\n") && told.contains("get_reply"), "{told}"),
            _ => assert_eq!(text(&scripted, "first_phrase"), "Здравствуйте, это Ромашка. Пока-пока."),
        }

        let (first, told) = (text(&free, "first_phrase"), text(&free, "instructions"));
        match mode {
            // The model opens the call as it was told.
            "realtime_pure" => {
                assert!(first.is_empty() && told.starts_with(FREE) && told.contains("opt_out"), "{told}")
            }
            "greeting" => assert_eq!((first.as_str(), told.as_str()), (FREE, "")),
            _ => assert_eq!((first.as_str(), told.starts_with(FREE)), ("Добрый день!", true), "{mode}: {told}"),
        }
    }
    // As it was asked for; the scenario knows the provider's names.
    let asked = granted(&app, &place, 90, json!({ "language": "auto", "voice": "female", "prompt": FREE })).await;
    assert_eq!((&asked["language"], &asked["voice"]), (&json!("auto"), &json!("female")));
    let asked = granted(&app, &place, 91, json!({ "language": "en-US", "voice": "Google.en_US_Chirp3_HD_Kore" })).await;
    assert_eq!((&asked["language"], &asked["voice"]), (&json!("en-US"), &json!("Google.en_US_Chirp3_HD_Kore")));
    assert!(text(&asked, "first_phrase").starts_with("Hello!"), "{asked}");
    // A whole script is a script; faults in it are told with their place.
    let toml = include_str!("../../campaigns/plain.toml").replace("Это проверка связи", "Это Ромашка");
    let whole = granted(&app, &place, 92, json!({ "prompt": toml })).await;
    assert!(text(&whole, "first_phrase").contains("Это Ромашка. С вами говорит программа."), "{whole}");
    let (status, body) =
        ask(&app, json!({ "phone": number(0, 1), "prompt": toml.replace("[closing]", "[clos]") })).await;
    assert_eq!(status, 422);
    assert!(body.to_string().contains("prompt: closing"), "{body}");
    let (status, body) = ask(&app, json!({ "phone": number(0, 1), "prompt": "Здравствуйте, {{name}}!" })).await;
    assert_eq!((status, body.to_string().contains("no {{variables}}")), (422, true), "{body}");
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_says_what_the_prompt_says_in_every_mode_that_talks() {
    let place = fast().await;
    let app = place.serve().await;
    for (nth, mode) in (1..).zip(["dialog", "realtime", "realtime_pure"]) {
        let id = placed(&app, json!({ "phone": number(0, nth), "mode": mode, "prompt": SCRIPTED })).await;
        let told = ended(&app, &id).await;
        let said: Vec<&str> =
            told["turns"].as_array().expect("turns").iter().filter_map(|turn| turn["agent_text"].as_str()).collect();
        assert_eq!(said, ["Вам удобно сейчас говорить?", "Пока-пока."], "{mode}: {told}");
        assert_eq!(told["call"]["goal"], json!(true), "{mode}");
    }
    // A free text is said sentence by sentence by whoever has no model, and the answer says so.
    let order = json!({ "phone": number(0, 4), "mode": "realtime", "prompt": FREE });
    let (_, answer) = ask(&app, order).await;
    assert!(answer["notes"][0].as_str().is_some_and(|note| note.contains("3 of 3")), "{answer}");
    let told = ended(&app, answer["attempt"].as_str().expect("an attempt")).await;
    assert_eq!(told["turns"][0]["agent_text"], json!("Это Ромашка."), "{told}");
    crate::harness::stop_now(app).await;
}

/// Without the refusal, one arm of a comparison follows a text and another reads it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_takes_no_prompt_and_no_language_left_open() {
    let place = fast().await;
    let app = place.serve().await;
    let here = Here {
        store: &app.store,
        modes: &app.modes,
        real_platform: false,
        default_caller_id: None,
        now: app.clock.now(),
    };
    let open = include_str!("../../campaigns/plain.toml").replace("\"ru-RU\"", "\"auto\"");
    for (script, word) in [("prompt = \"Добрый день!\"", "prompt"), (open.as_str(), "language")] {
        let contacts = csv([number(0, 1)]);
        let upload = Upload {
            source: "contacts.csv",
            settings: &settings("prompted", ""),
            script: Some(script),
            contacts: contacts.as_bytes(),
            salt: None,
        };
        match import(&here, upload).await {
            Err(ImportError::Script(said, _)) => {
                assert!(said.starts_with(word) && said.contains("single calls"), "{said}")
            }
            other => panic!("{word}: {other:?}"),
        }
    }
    crate::harness::stop_now(app).await;
}

/// The guards: forget_scripts.sql, and the look at whom the call was made to in `told::of_attempt`, without which this
/// process tells what it remembers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_goes_with_the_person() {
    let place = fast().await;
    let app = place.serve().await;
    let id = placed(&app, json!({ "phone": number(2, 1), "mode": "greeting", "prompt": FREE })).await;
    ended(&app, &id).await;
    let told = crate::get(&app, &format!("/api/v1/attempts/{id}/told")).await;
    assert!(told.0 == 200 && told.1.to_string().contains("Ромашка"), "{told:?}");
    let campaign = attempt(&app, &id).await["campaign"].as_str().expect("an id").to_owned();
    let person = format!("http://{}/api/v1/numbers/%2B{}", app.address, &number(2, 1)[1..]);
    let erased = crate::send(reqwest::Client::new().delete(person)).await;
    assert_eq!((erased.0, &erased.1["erased"]), (200, &json!(true)), "{}", erased.1);
    let told = crate::get(&app, &format!("/api/v1/attempts/{id}/told")).await;
    assert!(told.0 == 404 && !told.1.to_string().contains("Ромашка"), "{told:?}");
    let kept = app.store.campaign(campaign.parse().expect("an id")).await.expect("an answer").expect("it is there");
    assert!(!kept.script.contains("Ромашка"), "{}", kept.script);
    halo::dialogue::Script::parse(&kept.script).expect("what stays in its place is a script");
    crate::harness::stop_now(app).await;
}
