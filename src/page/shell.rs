//! What stands around every page: the line that says whether anybody is dialled, the menu, the language; and the words
//! that templates ask for.

use super::asked::Visit;
use super::look::Look;
use super::trouble::Trouble;
use super::words::{self, Lang};
use super::{assets, time};
use crate::domain::{Role, Timestamp};
use chrono_tz::Tz;
use serde_json::Value;

/// Digits of a figure that is as wide however large it is.
const STEADY_DIGITS: usize = 4;

#[derive(Clone, Debug)]
pub struct Shell {
    pub lang: Lang,
    pub theme: &'static str,
    pub zone: Tz,
    pub now: Timestamp,
    pub role: Role,
    /// The token of this session's forms; empty for whoever is not signed in.
    pub form: String,
    /// The menu's entry in which the page is.
    pub menu: &'static str,
    pub title: String,
    /// The page's own address, for switches that come back to it.
    pub here: String,
    pub line: Option<Line>,
    /// What was typed into the search.
    pub q: String,
}

/// Whether the installation is dialling.
#[derive(Clone, Debug)]
pub struct Line {
    pub dialling: bool,
    /// `dialling`, `paused`, `idle`, `held`.
    pub kind: &'static str,
    pub word: &'static str,
    pub why: String,
    pub live: i64,
    pub starts_per_s: String,
    pub all_paused: bool,
    /// A backup was restored, and nobody confirmed yet that what it lacks is there: nothing is resumed before.
    pub restored: bool,
}

impl Line {
    pub fn of(status: &Value, paused: &Value, shell: &Shell) -> Self {
        let lang = shell.lang;
        let dialling = status.yes("dialling");
        let gate = status.text("gate");
        let all_paused = paused.yes("paused");
        let restored = status.has("restored");
        let kind = match gate.as_str() {
            _ if dialling => "dialling",
            "paused" => "paused",
            "no_run" => "idle",
            _ => "held",
        };
        let mut why = if dialling {
            lang.count(status.int("runs"), ["run", "runs"], ["запуск", "запуска", "запусков"])
        } else if restored {
            let told = [
                "restored from a backup: later opt-outs are missing",
                "восстановлено из копии: новых отказов в ней нет",
            ];
            lang.pick(told[0], told[1]).to_owned()
        } else if all_paused {
            let reason = paused.text("reason");
            format!("{}: {reason}", lang.pick("all calls are paused", "все звонки на паузе"))
        } else if gate == "paused" {
            // The API's own words name the run and the reason.
            let line = status.text("line");
            let told = line.split_once("paused: ").map(|(_, told)| told.to_owned());
            told.filter(|_| lang == Lang::En)
                .unwrap_or_else(|| lang.pick("a run is paused", "запуск на паузе").to_owned())
        } else {
            words::gate(&gate, lang)
        };
        if let Some(since) = status.at("since").filter(|_| !dialling) {
            why += &format!(" · {} {}", lang.pick("since", "с"), shell.at(since));
        }
        if let Some(until) = status.at("until").filter(|_| !dialling) {
            why += &format!(" · {} {}", lang.pick("until", "до"), shell.at(until));
        }
        Line {
            dialling,
            kind,
            word: if dialling {
                lang.pick("Dialling", "Звоним")
            } else {
                lang.pick("Not dialling", "Не звоним")
            },
            why,
            live: status.int("calls_live"),
            starts_per_s: words::decimal(status.num("starts_per_s"), lang),
            all_paused,
            restored,
        }
    }
}

impl Shell {
    pub fn bare(lang: Lang, theme: &'static str, zone: Tz, now: Timestamp, here: &str) -> Self {
        Shell {
            lang,
            theme,
            zone,
            now,
            role: Role::Viewer,
            form: String::new(),
            menu: "",
            title: String::new(),
            here: here.to_owned(),
            line: None,
            q: String::new(),
        }
    }

    pub async fn of(visit: &Visit, menu: &'static str, title: impl Into<String>) -> Result<Self, Trouble> {
        let mut shell = Shell::bare(visit.lang, visit.theme, visit.zone, visit.now, &visit.here);
        shell.form.clone_from(&visit.form);
        shell.role = visit.role;
        shell.menu = menu;
        shell.title = title.into();
        let (status, paused) = (visit.api.get("/status").await?, visit.api.get("/pause").await?);
        shell.line = Some(Line::of(&status, &paused, &shell));
        Ok(shell)
    }

    /// Somebody who calls and pauses: what a viewer may not do is not offered to him.
    pub fn operates(&self) -> bool {
        self.role.may(Role::Operator)
    }
    /// Keys, the audit, limits, erasure.
    pub fn rules(&self) -> bool {
        self.role.may(Role::Admin)
    }
    pub fn t(&self, en: &'static str, ru: &'static str) -> &'static str {
        self.lang.pick(en, ru)
    }
    pub fn version(&self) -> &'static str {
        assets::VERSION.as_str()
    }
    pub fn here(&self) -> String {
        super::client::encoded(&self.here)
    }
    pub fn n(&self, n: impl It<i64>) -> String {
        words::grouped(n.it())
    }
    /// Of figures that are drawn anew in their place, at the right.
    pub fn steady(&self, n: impl It<i64>) -> String {
        words::steady(n.it(), STEADY_DIGITS)
    }
    pub fn x(&self, x: impl It<f64>) -> String {
        words::decimal(x.it(), self.lang)
    }
    pub fn at(&self, at: impl It<Timestamp>) -> String {
        time::instant(at.it(), self.now, self.zone, self.lang, false)
    }
    /// As an element that programs can read, too; with seconds.
    pub fn exact(&self, at: impl It<Option<Timestamp>>) -> String {
        self.element(at.it(), true)
    }
    pub fn when(&self, at: impl It<Option<Timestamp>>) -> String {
        self.element(at.it(), false)
    }
    fn element(&self, at: Option<Timestamp>, seconds: bool) -> String {
        let Some(at) = at else { return "—".to_owned() };
        let told = time::instant(at, self.now, self.zone, self.lang, seconds);
        format!("<time datetime=\"{at}\">{told}</time>")
    }
    pub fn moment(&self, at: impl It<Timestamp>) -> String {
        time::moment(at.it(), self.now, self.zone, self.lang)
    }
    pub fn clock(&self, ms: impl It<i64>) -> String {
        time::clock(ms.it())
    }
    pub fn state(&self, word: impl AsRef<str>) -> &'static str {
        words::state(word.as_ref(), self.lang)
    }
    pub fn stage(&self, word: impl AsRef<str>) -> &'static str {
        words::stage(word.as_ref(), self.lang)
    }
    pub fn outcome(&self, word: impl AsRef<str>) -> String {
        words::outcome(word.as_ref(), self.lang)
    }
    pub fn gate(&self, word: impl AsRef<str>) -> String {
        words::gate(word.as_ref(), self.lang)
    }
    pub fn m(&self, mode: impl AsRef<str>) -> usize {
        words::mode_place(mode.as_ref())
    }
    pub fn contacts(&self, n: impl It<i64>) -> String {
        self.lang.count(n.it(), ["contact", "contacts"], ["контакт", "контакта", "контактов"])
    }
    pub fn people(&self, n: impl It<i64>) -> String {
        self.lang.count(n.it(), ["person", "people"], ["человек", "человека", "человек"])
    }

    /// Millionths of the currency's unit, with three decimals.
    pub fn money(&self, micros: impl It<i64>) -> String {
        let text = format!("{:.3}", micros.it() as f64 / 1_000_000.0);
        if self.lang == Lang::Ru { text.replace('.', ",") } else { text }
    }

    /// A mode's name behind its sign: colour and shape are the same everywhere. HTML, with the name escaped.
    pub fn mode(&self, mode: impl AsRef<str>) -> String {
        format!("<span class=\"mode\">{}{}</span>", self.sign(mode.as_ref()), escaped(mode.as_ref()))
    }
    pub fn sign(&self, mode: impl AsRef<str>) -> String {
        let place = words::mode_place(mode.as_ref());
        let shape = match place {
            0 => "<circle cx=\"6\" cy=\"6\" r=\"5\"/>",
            1 => "<rect x=\"1.5\" y=\"1.5\" width=\"9\" height=\"9\"/>",
            2 => "<path d=\"M6 .8 11.4 10.6H.6z\"/>",
            3 => "<path d=\"M6 .4 11.6 6 6 11.6.4 6z\"/>",
            4 => "<path d=\"M4 .8h4V4h3.2v4H8v3.2H4V8H.8V4H4z\"/>",
            _ => "<path d=\"M.6 1.4h10.8L6 11.2z\"/>",
        };
        format!("<svg class=\"sign m{place}\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">{shape}</svg>")
    }
    /// A state as a chip with its own sign.
    pub fn chip(&self, state: impl AsRef<str>) -> String {
        let word = state.as_ref();
        let (class, sign) = match word {
            "running" | "live" => ("on", "<circle cx=\"6\" cy=\"6\" r=\"4\"/>"),
            "draining" => ("on", "<path d=\"M1 3h10L6 11z\"/>"),
            "paused" => ("warn", "<path d=\"M2 1.5h3v9H2zM7 1.5h3v9H7z\"/>"),
            "completed" => ("done", "<path d=\"M1 6.2 2.6 4.6 5 7l4.6-5 1.6 1.5L5 10.3z\"/>"),
            "stopped" => ("off", "<rect x=\"2\" y=\"2\" width=\"8\" height=\"8\"/>"),
            "scheduled" => ("wait", "<path d=\"M6 1a5 5 0 1 0 .01 0zM5.4 3h1.3v2.9l2 1.2-.7 1-2.6-1.6z\"/>"),
            _ => ("off", "<circle cx=\"6\" cy=\"6\" r=\"2\"/>"),
        };
        let told = self.state(word);
        format!(
            "<span class=\"chip {class}\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">{sign}</svg>{told}</span>"
        )
    }
}

/// A template hands a field on as it stands or by reference, as it likes.
pub trait It<T> {
    fn it(self) -> T;
}

macro_rules! it {
    ($($kind:ty),*) => {$(
        impl It<$kind> for $kind {
            fn it(self) -> $kind { self }
        }
        impl It<$kind> for &$kind {
            fn it(self) -> $kind { *self }
        }
        impl It<$kind> for &&$kind {
            fn it(self) -> $kind { **self }
        }
    )*};
}

it!(i64, f64, usize, Timestamp, Option<Timestamp>);

fn escaped(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map(|safe| safe.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_element() {
        let s = Shell::bare(Lang::En, "auto", Tz::UTC, Timestamp(0), "/");
        let told = s.mode("<img src=x>");
        assert!(told.contains("&#60;img") && !told.contains("<img"), "{told}");
        assert!(s.mode("dialog").contains("m0") && s.mode("realtime").contains("m1"));
    }
}
