//! Every code of the provider's list, through a start.

use super::codes::{self, Meaning};
use super::tests::{client, known_by, order, permit, platform, rsa_pem};
use super::{ApiError, Credentials, ServiceKey, StartError};
use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The 457 codes of the official client, as ranges.
const ALL: &[(i64, i64)] = &[
    (1, 2),
    (4, 6),
    (9, 10),
    (12, 23),
    (100, 118),
    (121, 123),
    (125, 125),
    (127, 137),
    (139, 142),
    (147, 173),
    (175, 175),
    (177, 177),
    (180, 185),
    (188, 188),
    (190, 192),
    (194, 199),
    (201, 237),
    (239, 255),
    (257, 275),
    (278, 278),
    (280, 297),
    (300, 311),
    (314, 327),
    (331, 332),
    (334, 341),
    (343, 371),
    (373, 386),
    (389, 401),
    (405, 430),
    (433, 468),
    (470, 501),
    (506, 509),
    (511, 581),
    (583, 584),
];

fn every_code() -> Vec<i64> {
    ALL.iter().flat_map(|(first, last)| *first..=*last).collect()
}

/// The codes that the reference singles out: what a start does about them.
#[test]
fn what_the_provider_says_and_what_follows() {
    let mut table = String::new();
    for code in [
        1, 2, 4, 5, 12, 15, 16, 20, 21, 100, 101, 102, 103, 104, 115, 116, 117, 121, 127, 131, 132, 134, 147, 148, 150,
        156, 162, 168, 175, 184, 185, 251, 252, 257, 281, 282, 314, 320, 321, 322, 323, 340, 375, 393, 395, 416, 418,
        419, 429, 433, 447, 454, 455, 456, 484, 485, 496, 511, 512, 514, 515, 527, 558,
    ] {
        let wait = codes::wait(code, "").map_or("growing".to_owned(), |wait| format!("{} s", wait.as_secs()));
        let then = match codes::meaning(code) {
            Meaning::NotTaken => format!("defer, {wait}"),
            Meaning::Unclear => "wait for the grant".to_owned(),
            Meaning::Account => format!("pause: {}", codes::cure(code)),
        };
        table.push_str(&format!("{code}: {then}\n"));
    }
    insta::assert_snapshot!(table, @r"
    1: wait for the grant
    2: wait for the grant
    4: wait for the grant
    5: pause: top the account up, then resume
    12: defer, growing
    15: defer, growing
    16: defer, growing
    20: defer, growing
    21: defer, growing
    100: pause: the provider does not know us: check VOXIMPLANT_ACCOUNT_ID with VOXIMPLANT_API_KEY, or VOXIMPLANT_KEY_FILE
    101: pause: the provider does not take this request as it stands: look its code up in its reference
    102: pause: the provider does not take this request as it stands: look its code up in its reference
    103: pause: the provider does not take this request as it stands: look its code up in its reference
    104: pause: the key lacks the role: give the service account Owner, Admin, Developer or Scenarios (deploy and doctor: one of the first three)
    115: pause: VOXIMPLANT_ACCOUNT_ID is not an account that this key may use
    116: pause: VOXIMPLANT_APPLICATION_ID is not an application of this account: run `halo voximplant deploy`
    117: pause: the provider does not take this request as it stands: look its code up in its reference
    121: pause: VOXIMPLANT_CALLER_ID must be a number that the account rents and may use, or has verified
    127: pause: top the account up, then resume
    131: pause: finish the account's registration in the control panel
    132: pause: run `halo voximplant deploy`, then resume
    134: pause: the provider does not take this request as it stands: look its code up in its reference
    147: pause: run `halo voximplant deploy`, then resume
    148: pause: run `halo voximplant deploy`, then resume
    150: pause: the provider does not take this request as it stands: look its code up in its reference
    156: pause: run `halo voximplant deploy`, then resume
    162: defer, growing
    168: pause: run `halo voximplant deploy`, then resume
    175: pause: run `halo voximplant deploy`, then resume
    184: pause: VOXIMPLANT_CALLER_ID must be a number that the account rents and may use, or has verified
    185: pause: VOXIMPLANT_CALLER_ID must be a number that the account rents and may use, or has verified
    251: wait for the grant
    252: wait for the grant
    257: pause: the provider does not take this request as it stands: look its code up in its reference
    281: pause: the account must be verified: control panel, Verification; then resume
    282: pause: the account must be verified: control panel, Verification; then resume
    314: defer, 10 s
    320: pause: the provider's list of allowed addresses lacks this machine's: control panel, Security
    321: pause: the provider's list of allowed addresses lacks this machine's: control panel, Security
    322: pause: the provider's list of allowed addresses lacks this machine's: control panel, Security
    323: pause: the provider's list of allowed addresses lacks this machine's: control panel, Security
    340: defer, growing
    375: pause: run `halo voximplant deploy`, then resume
    393: pause: bind the user to the application in the control panel
    395: pause: VOXIMPLANT_CALLER_ID must be a number that the account rents and may use, or has verified
    416: defer, growing
    418: pause: the account's plan allows no more: change it in the control panel
    419: pause: the account's plan allows no more: change it in the control panel
    429: defer, growing
    433: pause: the provider does not know us: check VOXIMPLANT_ACCOUNT_ID with VOXIMPLANT_API_KEY, or VOXIMPLANT_KEY_FILE
    447: pause: the provider does not know us: check VOXIMPLANT_ACCOUNT_ID with VOXIMPLANT_API_KEY, or VOXIMPLANT_KEY_FILE
    454: pause: the key's tokens do not fit the provider's clock: set this machine's clock (NTP)
    455: pause: the key's tokens do not fit the provider's clock: set this machine's clock (NTP)
    456: pause: the key's tokens do not fit the provider's clock: set this machine's clock (NTP)
    484: defer, 30 s
    485: pause: the provider does not take this request as it stands: look its code up in its reference
    496: pause: the provider does not take this request as it stands: look its code up in its reference
    511: pause: finish the account's registration in the control panel
    512: defer, 60 s
    514: defer, 10 s
    515: defer, 10 s
    527: pause: the provider refuses this machine's address as a VPN's: call from another one
    558: pause: VOXIMPLANT_APPLICATION_ID is not an application of this account: run `halo voximplant deploy`
    ");
}

/// One request, whatever the answer: only an expired token, refused at the door, is presented anew.
#[tokio::test]
async fn no_code_makes_a_second_start() {
    let all = every_code();
    assert_eq!(all.len(), 457);
    let now = Arc::new(AtomicI64::new(0));
    let starts = Arc::new(AtomicUsize::new(0));
    let (code, seen) = (now.clone(), starts.clone());
    let (_, by_key) = platform(move |method, _| match method {
        "GetRules" => {
            (200, json!({ "result": [{ "rule_id": 5, "rule_name": "voice_dialog_rule", "scenarios": [{}] }] }))
        }
        _ => {
            seen.fetch_add(1, Ordering::SeqCst);
            (200, json!({ "error": { "code": code.load(Ordering::SeqCst), "msg": "because" } }))
        }
    })
    .await;
    let service = rsa_pem().map(|pem| {
        let file = json!({ "account_id": 1234567, "key_id": "kid-1", "private_key": pem }).to_string();
        let credentials = Credentials::Service(ServiceKey::from_json(&file).unwrap());
        known_by(credentials, &by_key.connection().url, "https://halo.example")
    });
    if service.is_none() {
        eprintln!("LEFT OUT: there is no openssl to make a service account's key with");
    }
    for code in all {
        now.store(code, Ordering::SeqCst);
        for client in [Some(&by_key), service.as_ref()].into_iter().flatten() {
            starts.store(0, Ordering::SeqCst);
            // What a rule's refusal forgets is found again first.
            let answer = client.start(order("dialog"), permit().await).await;
            let renewed = usize::from(code == 456 && !std::ptr::eq(client, &by_key));
            assert_eq!(starts.load(Ordering::SeqCst), 1 + renewed, "code {code}");
            match answer {
                Err(StartError::Refused { .. } | StartError::Unclear { .. }) => {}
                Err(StartError::Account { cause }) => {
                    let told = cause.told();
                    assert!(told.contains(&format!(" {code}: because; ")), "{told}");
                }
                Ok(_) | Err(StartError::Missed { .. }) => panic!("code {code} started, or missed a slot"),
            }
        }
    }
}

#[tokio::test]
async fn how_long_to_wait_is_the_provider_s_to_say() {
    for (status, code, message, wait) in [
        (200, 416, "Retry after 40 s", Some(40)),
        (200, 416, "Retry later", None),
        (200, 340, "Rate limit exceeded", None),
        (200, 340, "Rate limit exceeded, try again in 2 minutes", Some(120)),
        (200, 484, "Rejected", Some(30)),
        (200, 314, "Limit", Some(10)),
        (429, 0, "", Some(17)),
    ] {
        let answer = move || async move {
            let body = match code {
                0 => Value::Null,
                _ => json!({ "error": { "code": code, "msg": message } }),
            };
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, [("retry-after", if status == 429 { "17" } else { "-" })], body.to_string())
        };
        let rules = json!({ "result": [{ "rule_id": 5, "rule_name": "voice_dialog_rule", "scenarios": [{}] }] });
        let router = Router::new()
            .route("/platform_api/GetRules", post(|| async move { rules.to_string() }))
            .route("/platform_api/StartScenarios", post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(&format!("http://{}/platform_api", listener.local_addr().unwrap()), "https://halo.example");
        tokio::spawn(async move { axum::serve(listener, router).await });
        let refused = client.start(order("dialog"), permit().await).await;
        let Err(StartError::Refused { wait: asked, .. }) = refused else { panic!("{code}: {refused:?}") };
        assert_eq!(asked, wait.map(Duration::from_secs), "HTTP {status}, code {code}: {message}");
    }
}

/// What was sent does not come back in an error: not a key, not a secret, not a number of a person.
#[tokio::test]
async fn what_the_provider_repeats_is_taken_out() {
    let (_, client) = platform(|_, asked| {
        let echo = format!("{asked:?} for +79990000042, try after 30 s, 147 and 123456");
        (200, json!({ "error": { "code": 496, "msg": echo } }))
    })
    .await;
    let number = "+79990000042".parse().unwrap();
    let said = client.bind_number(&number, 7).await.unwrap_err().to_string();
    assert!(!said.contains("the-key") && !said.contains("79990000042") && !said.contains("1234567"), "{said}");
    let (_, client) = platform(|_, _| {
        (200, json!({ "error": { "code": 496, "msg": "number +79990000042, try after 30 s, 147 and 123456 and 79990000017" } }))
    })
    .await;
    let said = client.numbers().await.unwrap_err().to_string();
    assert!(said.ends_with("number +…42, try after 30 s, 147 and 123456 and …17"), "{said}");
}

/// The platform answers the 201st concurrent request with 429: it is not sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_than_two_hundred_requests_at_once() {
    const ALL: usize = 300;
    let open = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)));
    let counted = open.clone();
    let answer = move || {
        let open = counted.clone();
        async move {
            let (now, most, came) = &*open;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            came.fetch_add(1, Ordering::SeqCst);
            // Nobody is answered before the limit is reached, and one more has had the time to come.
            while came.load(Ordering::SeqCst) < 200 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            json!({ "result": [] }).to_string()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/platform_api", listener.local_addr().unwrap());
    let router = Router::new().route("/platform_api/GetPhoneNumbers", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Arc::new(client(&url, "https://halo.example"));
    let asked = (0..ALL).map(|_| {
        tokio::spawn({
            let client = client.clone();
            async move { client.numbers().await }
        })
    });
    for answer in futures::future::join_all(asked).await {
        assert_eq!(answer.unwrap().unwrap(), []);
    }
    assert_eq!(open.1.load(Ordering::SeqCst), 200);
}

/// Lists are read to their end; one that ends before its own count is no list.
#[tokio::test]
async fn lists_are_never_cut() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let (_, client) = platform(move |_, asked| {
        let offset: usize = asked.get("offset").map_or(0, |offset| offset.parse().unwrap());
        seen.lock().unwrap().push((asked["count"].clone(), offset));
        // This platform gives ten at a time, whatever is asked for.
        let page: Vec<Value> = (offset..25.min(offset + 10))
            .map(|nth| json!({ "callerid_number": format!("7999000{nth:04}"), "active": true }))
            .collect();
        (200, json!({ "result": page, "count": page.len(), "total_count": 25 }))
    })
    .await;
    let all = client.caller_ids().await.unwrap();
    assert_eq!(all.len(), 25);
    assert_eq!(all[24].number, "+79990000024".parse().ok());
    let offsets: Vec<usize> = asked.lock().unwrap().iter().map(|(_, offset)| *offset).collect();
    assert_eq!(offsets, [0, 10, 20]);
    assert!(asked.lock().unwrap().iter().all(|(count, _)| count == "1000"));

    let (_, client) = platform(|_, asked| {
        let page = if asked.contains_key("offset") { vec![] } else { vec![json!({ "active": true })] };
        (200, json!({ "result": page, "total_count": 2 }))
    })
    .await;
    let cut = client.caller_ids().await;
    assert!(matches!(cut, Err(ApiError::Malformed { field: "total_count", .. })), "{cut:?}");
}
