//! A bot of Telegram: a notice is one message, or several where it is longer than one may be.

use super::webhook::why;
use crate::domain::notice::Tried;
use crate::store::notices::Due;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// Characters (UTF-16 units, by the Bot API) of one message, and messages of one notice.
const TEXT_UNITS_MAX: usize = 4096;
const PIECES_MAX: usize = 5;

#[derive(Clone)]
pub struct Telegram {
    client: reqwest::Client,
    url: String,
    token: SecretString,
    chats: Vec<String>,
}

impl Telegram {
    pub fn new(url: &str, token: SecretString, chats: &[String]) -> Result<Self, reqwest::Error> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().user_agent(concat!("halo/", env!("CARGO_PKG_VERSION"))).build()?;
        Ok(Telegram { client, url: url.trim_end_matches('/').to_owned(), token, chats: chats.to_vec() })
    }

    pub fn chats(&self) -> &[String] {
        &self.chats
    }

    pub(super) async fn send(&self, due: &Due) -> (Option<u16>, Tried) {
        let text =
            if due.body.starts_with(&due.title) { due.body.clone() } else { format!("{}\n\n{}", due.title, due.body) };
        let mut status = None;
        for piece in pieces(&text) {
            match self.say(&due.target, &piece).await {
                Ok(code) => status = Some(code),
                Err((code, why)) => return (code, Tried::Failed(why)),
            }
        }
        (status, Tried::Delivered)
    }

    /// Errors do not hold the address: the bot's token stands in it.
    async fn say(&self, chat: &str, text: &str) -> Result<u16, (Option<u16>, String)> {
        let url = format!("{}/bot{}/sendMessage", self.url, self.token.expose_secret());
        let body = json!({ "chat_id": chat, "text": text, "link_preview_options": { "is_disabled": true } });
        let sent = self.client.post(url).json(&body).send().await;
        let answer = sent.map_err(|cause| (None, why(&cause.without_url())))?;
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.unwrap_or(Value::Null);
        if told["ok"] == true {
            return Ok(status);
        }
        let said = told["description"].as_str().unwrap_or("no reason given");
        Err((Some(status), format!("HTTP {status}: {said}")))
    }
}

/// Whole lines, as long as they fit; a line that is longer than a message is cut.
fn pieces(text: &str) -> Vec<String> {
    let units = |text: &str| text.encode_utf16().count();
    let mut pieces = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let mut line = line.to_owned();
        let fits = |piece: &String, line: &str| units(piece) + units(line) <= TEXT_UNITS_MAX;
        if !pieces.last().is_some_and(|last| fits(last, &line)) {
            pieces.push(String::new());
        }
        while units(&line) > TEXT_UNITS_MAX {
            let (mut held, mut at) = (0, 0);
            for (from, c) in line.char_indices() {
                held += c.len_utf16();
                if held > TEXT_UNITS_MAX {
                    break;
                }
                at = from + c.len_utf8();
            }
            let rest = line.split_off(at);
            pieces.push(line);
            line = rest;
            pieces.push(String::new());
        }
        if let Some(last) = pieces.last_mut() {
            last.push_str(&line);
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    if pieces.len() > PIECES_MAX {
        pieces.truncate(PIECES_MAX);
        if let Some(last) = pieces.last_mut() {
            last.truncate(last.char_indices().nth(TEXT_UNITS_MAX / 2 - 4).map_or(last.len(), |(at, _)| at));
            last.push_str("\n…");
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_becomes_several_messages_of_whole_lines() {
        assert_eq!(pieces("one\ntwo\n"), ["one\ntwo\n"]);
        let line = "я".repeat(999) + "\n";
        let found = pieces(&line.repeat(9));
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|piece| piece.encode_utf16().count() <= TEXT_UNITS_MAX && piece.ends_with('\n')));
        assert_eq!(found.concat(), line.repeat(9));
        let endless = pieces(&"🙂".repeat(5_000));
        assert!(endless.iter().all(|piece| piece.encode_utf16().count() <= TEXT_UNITS_MAX));
        assert_eq!(endless.concat(), "🙂".repeat(5_000));
        let much = pieces(&line.repeat(100));
        assert_eq!(much.len(), PIECES_MAX);
        assert!(much[PIECES_MAX - 1].ends_with('…'));
    }
}
