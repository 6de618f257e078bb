//! The stand-in held to OpenAI's form, by a stranger's client.

use super::*;
use serde_json::Value;
use std::sync::OnceLock;

const SCRIPT: &str = "You are Anna.\nPHASE 1 hello: «Добрый день! Это «Ромашка».»\nPHASE 2 when: «Когда вам удобно?»\n\
    IF «цена|стоит»: «Около тысячи.»\nEND: «Спасибо, до свидания!»\n\
    When the other person asks to be called later («перезвоните»), say «Хорошо, позже.» and finish.\n\
    The other person's clock shows 2026-11-20T12:00+03:00, Friday.\n";

struct Stand {
    url: String,
    client: reqwest::Client,
}

impl Stand {
    async fn open() -> Self {
        static CHOSEN: OnceLock<()> = OnceLock::new();
        // Another test may have chosen one already.
        CHOSEN.get_or_init(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(socket, router::<()>()).await });
        Stand { url, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn ask(&self, body: Value) -> (u16, String) {
        let sent =
            self.client.post(format!("{}/v1/chat/completions", self.url)).body(body.to_string()).send().await.unwrap();
        let status = sent.status().as_u16();
        (status, sent.text().await.unwrap_or_else(|_| "the connection ended".to_owned()))
    }

    async fn mood(&self, body: Value) -> u16 {
        let sent = self.client.post(format!("{}/simulator/completions", self.url)).body(body.to_string());
        sent.send().await.unwrap().status().as_u16()
    }
}

fn asked(conversation: &[(&str, &str)]) -> Value {
    let mut messages = vec![json!({ "role": "system", "content": SCRIPT })];
    messages.extend(conversation.iter().map(|(role, text)| json!({ "role": role, "content": text })));
    let tools: Vec<Value> =
        ["note", "end_call"].iter().map(|name| json!({ "type": "function", "function": { "name": name } })).collect();
    json!({ "model": "any", "messages": messages, "tools": tools })
}

const HELLO: (&str, &str) = ("assistant", "Добрый день! Это Ромашка.");
const WHEN: (&str, &str) = ("assistant", "Когда вам удобно?");

#[tokio::test]
async fn it_follows_the_script_by_what_was_said() {
    let stand = Stand::open().await;
    for (conversation, text, calls) in [
        (&[][..], "Добрый день! Это «Ромашка».", ""),
        (&[HELLO, ("user", "Да?")], "Когда вам удобно?", r#"note {"phases":["hello"]}"#),
        (&[HELLO, ("user", "А цена?")], "Около тысячи.", ""),
        (&[HELLO, ("user", "А цена?"), ("assistant", "Около тысячи."), ("user", "Цена?")], "Когда вам удобно?", ""),
        (
            &[HELLO, ("user", "Да"), WHEN, ("user", "Завтра")],
            "Спасибо, до свидания!",
            r#"end_call {"goal":true,"opt_out":false}"#,
        ),
        (
            &[HELLO, ("user", "Перезвоните")],
            "Хорошо, позже.",
            r#"end_call {"goal":false,"callback_at":"2026-11-20T14:00:00+03:00"}"#,
        ),
    ] {
        let (status, body) = stand.ask(asked(conversation)).await;
        assert_eq!(status, 200, "{body}");
        let told: Value = serde_json::from_str(&body).unwrap();
        let message = &told["choices"][0]["message"];
        let called: Vec<String> = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|call| {
                format!(
                    "{} {}",
                    call["function"]["name"].as_str().unwrap(),
                    call["function"]["arguments"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!((message["content"].as_str(), called.join(";").as_str()), (Some(text), calls), "{conversation:?}");
        let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
        assert_eq!(
            (&told["object"], &told["choices"][0]["finish_reason"]),
            (&json!("chat.completion"), &json!(finish))
        );
        let usage = &told["usage"];
        assert_eq!(
            usage["total_tokens"],
            usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap()
        );
    }
}

#[tokio::test]
async fn a_stream_says_the_same_in_pieces() {
    let stand = Stand::open().await;
    let mut body = asked(&[HELLO, ("user", "Да?")]);
    body["stream"] = json!(true);
    let (_, plain) = stand.ask(body.clone()).await;
    assert!(!plain.contains("\"usage\""), "tokens are told to who asks for them");
    body["stream_options"] = json!({ "include_usage": true });
    let (_, text) = stand.ask(body).await;
    let events: Vec<&str> = text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let events: Vec<Value> = events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    let (mut said, mut arguments) = (String::new(), String::new());
    for event in &events {
        assert_eq!(event["object"], "chat.completion.chunk");
        let delta = &event["choices"][0]["delta"];
        said += delta["content"].as_str().unwrap_or_default();
        arguments += delta["tool_calls"][0]["function"]["arguments"].as_str().unwrap_or_default();
    }
    assert_eq!((said.as_str(), arguments.as_str()), (WHEN.1, r#"{"phases":["hello"]}"#));
    let last = events.last().unwrap();
    assert!(last["choices"].as_array().unwrap().is_empty() && last["usage"]["prompt_tokens"].as_u64().unwrap() > 50);
}

#[tokio::test]
async fn what_openai_refuses_is_refused_in_its_form() {
    let stand = Stand::open().await;
    let good = asked(&[("user", "Да")]);
    for (field, value, parameter) in [
        ("model", json!(""), json!("model")),
        ("messages", json!([]), json!("messages")),
        ("messages", json!([{ "role": "boss", "content": "x" }]), json!("messages[0].role")),
        ("messages", json!([{ "role": "user", "content": null }]), json!("messages[0].content")),
        ("messages", json!([{ "role": "tool", "tool_call_id": "c", "content": "x" }]), json!("messages[0]")),
        ("tools", json!([]), json!("tools")),
        (
            "tools",
            json!([{ "type": "function", "function": { "name": "два слова" } }]),
            json!("tools[0].function.name"),
        ),
        ("stream_options", json!({ "include_usage": true }), json!("stream_options")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let (status, told) = stand.ask(body).await;
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((status, &told["error"]["param"]), (400, &parameter), "{told}");
        assert_eq!(told["error"]["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn trouble_comes_when_it_is_asked_for() {
    let stand = Stand::open().await;
    for (trouble, status, says) in [
        ("wrong-key", 401, "invalid_api_key"),
        ("too-many", 429, "rate_limit_exceeded"),
        ("fails", 500, "server_error"),
        ("overloaded", 503, "overloaded"),
        ("web-page", 200, "<html>"),
        ("empty", 200, "\"content\":\"\""),
        ("strange-tool", 200, "transfer_money"),
    ] {
        assert_eq!(stand.mood(json!({ "trouble": trouble, "times": 1 })).await, 204);
        let (got, body) = stand.ask(asked(&[HELLO, ("user", "Да")])).await;
        assert!(got == status && body.contains(says), "{trouble}: {got} {body}");
        let (got, body) = stand.ask(asked(&[HELLO, ("user", "Да")])).await;
        assert!(got == 200 && body.contains("Когда"), "once only: {trouble}: {body}");
    }
    for trouble in ["closes", "closes-late"] {
        stand.mood(json!({ "trouble": trouble })).await;
        let mut body = asked(&[HELLO, ("user", "Да")]);
        body["stream"] = json!(true);
        assert_eq!(stand.ask(body).await.1, "the connection ended", "{trouble}");
    }
    assert_eq!(stand.mood(json!({ "trouble": "plague" })).await, 400);
    assert_eq!(stand.mood(json!({ "troubel": "closes" })).await, 400);
    stand.mood(json!({})).await;
    let mut body = asked(&[HELLO, ("user", "Да")]);
    body["max_completion_tokens"] = json!(2);
    let (_, told) = stand.ask(body).await;
    assert!(told.contains("\"finish_reason\":\"length\""), "{told}");
}
