//! The words of states, gates and outcomes in both languages. Sentences of a page stand in its template, side by side.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    Ru,
}

impl Lang {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "en" => Some(Lang::En),
            "ru" => Some(Lang::Ru),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ru => "ru",
        }
    }

    pub fn pick(self, en: &'static str, ru: &'static str) -> &'static str {
        match self {
            Lang::En => en,
            Lang::Ru => ru,
        }
    }

    /// The first of the browser's languages that is known here, by its weights.
    pub fn accepted(header: &str) -> Self {
        let mut best = (0.0, Lang::En);
        for part in header.split(',') {
            let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f64>().ok()).unwrap_or(0.0);
            let tag = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            if let Some(lang) = Lang::parse(&tag).filter(|_| weight > best.0) {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// One word of three by a number, as Russian wants it; English uses the first and the last.
    pub fn count(self, n: i64, en: [&'static str; 2], ru: [&'static str; 3]) -> String {
        let word = match self {
            Lang::En if n == 1 => en[0],
            Lang::En => en[1],
            Lang::Ru => match (n % 10, n % 100) {
                (1, tens) if tens != 11 => ru[0],
                (2..=4, tens) if !(12..=14).contains(&tens) => ru[1],
                _ => ru[2],
            },
        };
        format!("{}\u{a0}{word}", grouped(n))
    }
}

/// Thousands set apart by a thin no-break space.
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if n < 0 { format!("−{out}") } else { out }
}

/// Always as wide, up to so many digits: what changes while somebody looks moves nothing, itself included.
pub fn steady(n: i64, digits: usize) -> String {
    let blank = digits.saturating_sub(n.unsigned_abs().to_string().len());
    "\u{2007}".repeat(blank) + &grouped(n)
}

/// The same with one decimal, always.
pub fn steady_decimal(x: f64, digits: usize, lang: Lang) -> String {
    let text = format!("{x:.1}");
    let blank = (digits + 2).saturating_sub(text.len());
    "\u{2007}".repeat(blank) + &if lang == Lang::Ru { text.replace('.', ",") } else { text }
}

/// One decimal at most, with the language's own point.
pub fn decimal(x: f64, lang: Lang) -> String {
    let text = if (x - x.round()).abs() < 0.05 { format!("{x:.0}") } else { format!("{x:.1}") };
    if lang == Lang::Ru { text.replace('.', ",") } else { text }
}

pub fn state(word: &str, lang: Lang) -> &'static str {
    let (en, ru) = match word {
        "scheduled" => ("scheduled", "назначен"),
        "running" => ("running", "идёт"),
        "draining" => ("draining", "завершается"),
        "paused" => ("paused", "на паузе"),
        "stopped" => ("stopped", "остановлен"),
        "completed" => ("completed", "завершён"),
        "planned" => ("planned", "запланирован"),
        "dialing" => ("starting", "запускается"),
        "live" => ("live", "идёт"),
        "ended" => ("ended", "окончен"),
        "lost" => ("no news", "без известий"),
        _ => ("not run yet", "не запускался"),
    };
    lang.pick(en, ru)
}

pub fn stage(word: &str, lang: Lang) -> &'static str {
    let (en, ru) = match word {
        "starting" => ("starting", "запуск"),
        "dialling" => ("dialling", "набор"),
        "ringing" => ("ringing", "гудки"),
        "talking" => ("talking", "разговор"),
        _ => ("under way", "идёт"),
    };
    lang.pick(en, ru)
}

pub fn outcome(word: &str, lang: Lang) -> String {
    let (en, ru) = match word {
        "answered" => ("answered", "ответили"),
        "machine" => ("machine", "автоответчик"),
        "busy" => ("busy", "занято"),
        "no_answer" => ("no answer", "нет ответа"),
        "unavailable" => ("unavailable", "недоступен"),
        "rejected" => ("rejected", "отклонён"),
        "invalid_number" => ("no such number", "нет такого номера"),
        "prohibited" => ("prohibited", "запрещён"),
        "no_funds" => ("no funds", "нет средств"),
        "network_error" => ("network error", "ошибка сети"),
        "scenario_error" => ("scenario error", "ошибка сценария"),
        "lost" => ("lost", "без известий"),
        "cancelled" => ("cancelled", "отменён"),
        "expired" => ("expired", "срок вышел"),
        "suppressed" => ("suppressed", "в стоп-листе"),
        other => return other.to_owned(),
    };
    lang.pick(en, ru).to_owned()
}

/// What holds somebody back, in a few words.
pub fn gate(word: &str, lang: Lang) -> String {
    let (en, ru) = match word {
        "paused" => ("paused", "пауза"),
        "window" => ("outside calling hours", "вне времени звонков"),
        "number_busy" => ("number in another call", "номер в другом звонке"),
        "pace" => ("waiting for a slot", "ждёт слота"),
        "caller_id" => ("caller ids used up", "исчерпаны номера звонящего"),
        "provider" => ("provider did not start it", "провайдер не запустил"),
        "retry_delay" => ("waiting for the next try", "ждёт следующей попытки"),
        "callback" => ("promised call back", "обещан перезвон"),
        "not_dialled" => ("grant came too late", "разрешение опоздало"),
        "unanswered" => ("session did not ask", "сеанс не отозвался"),
        "budget" => ("budget spent", "бюджет исчерпан"),
        "cap" => ("called often enough", "предел звонков на номер"),
        "gap" => ("too soon after the last call", "слишком рано после звонка"),
        "no_consent" => ("no proof of consent", "нет согласия"),
        "not_before" => ("not before its date", "не раньше даты"),
        "no_run" => ("no run is open", "нет открытых запусков"),
        "nobody_dials" => ("no process dials: start `halo serve`", "никто не звонит: запустите `halo serve`"),
        "due" => ("nobody's turn has come", "ничья очередь не подошла"),
        "calling" => ("being called now", "звонок идёт"),
        "at_rest" => ("finished in this run", "закончен в этом запуске"),
        "stops" => ("ends without a call", "закончится без звонка"),
        "lines" => ("all lines are taken", "все линии заняты"),
        "queue" => ("waiting for its turn", "ждёт очереди"),
        other => return other.to_owned(),
    };
    lang.pick(en, ru).to_owned()
}

/// What happened in a call, in a few words.
pub fn happened(word: &str, lang: Lang) -> String {
    let (en, ru) = match word {
        "planned" => ("Planned", "Запланирован"),
        "starting" => ("Session started", "Сеанс запущен"),
        "refused" => ("Start refused", "Запуск отклонён"),
        "unclear" => ("Start unanswered", "Запуск без ответа"),
        "granted" => ("Permission to dial", "Разрешение на звонок"),
        "ringing" => ("Ringing", "Гудки"),
        "connected" => ("Answered", "Ответили"),
        "machine" => ("Machine detection", "Проверка автоответчика"),
        "opt_out" => ("Asked not to be called", "Просит не звонить"),
        "not_dialled" => ("Not dialled", "Не набран"),
        "turn" => ("Turn", "Реплика"),
        "held" => ("Held back", "Задержан"),
        "ended" => ("Ended", "Окончен"),
        other => return other.to_owned(),
    };
    lang.pick(en, ru).to_owned()
}

/// Places of the modes that everybody knows: their colour and sign are the same on every page and chart.
pub fn mode_place(mode: &str) -> usize {
    match mode {
        "dialog" => 0,
        "realtime" => 1,
        "realtime_pure" => 2,
        "greeting" => 3,
        "realtime_stream" => 4,
        _ => 5,
    }
}

/// The choices of a single call, in the words of whoever places it.
pub fn mode_choice(mode: &str, lang: Lang) -> Option<(&'static str, &'static str)> {
    Some(match mode {
        "dialog" => (
            lang.pick("Our LLM", "Наш LLM"),
            lang.pick(
                "our dialogue, with recognition and synthesis by the platform",
                "наш диалог, распознавание и синтез на платформе",
            ),
        ),
        "realtime" => (
            lang.pick("OpenAI Realtime (hybrid)", "OpenAI Realtime (гибрид)"),
            lang.pick(
                "OpenAI speaks, our dialogue decides every reply",
                "говорит OpenAI, каждую реплику даёт наш диалог",
            ),
        ),
        "realtime_pure" => (
            lang.pick("OpenAI Realtime (pure, prompt only)", "OpenAI Realtime (чистый, только промпт)"),
            lang.pick("OpenAI alone, the whole script as instructions", "только OpenAI, весь сценарий в инструкциях"),
        ),
        "realtime_stream" => (
            lang.pick("OpenAI Realtime (audio through us)", "OpenAI Realtime (звук через нас)"),
            lang.pick("OpenAI alone, its audio carried by this server", "только OpenAI, звук идёт через этот сервер"),
        ),
        "greeting" => (
            lang.pick("Greeting", "Приветствие"),
            lang.pick("plays a text and hangs up", "проигрывает текст и кладёт трубку"),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_heard() {
        assert_eq!(Lang::accepted("ru-RU,ru;q=0.9,en;q=0.8"), Lang::Ru);
        assert_eq!(Lang::accepted("de, en;q=0.5, ru;q=0.9"), Lang::Ru);
        assert_eq!(Lang::accepted("fr"), Lang::En);
        assert_eq!(Lang::accepted(""), Lang::En);
    }

    #[test]
    fn russian_counts() {
        let say = |n| Lang::Ru.count(n, ["call", "calls"], ["звонок", "звонка", "звонков"]);
        for (n, word) in
            [(1, "звонок"), (3, "звонка"), (11, "звонков"), (21, "звонок"), (112, "звонков"), (0, "звонков")]
        {
            assert!(say(n).ends_with(&format!("\u{a0}{word}")), "{n}: {}", say(n));
        }
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(decimal(4.75, Lang::Ru), "4,8");
        assert_eq!((steady(7, 3).as_str(), steady(1234, 3).as_str()), ("\u{2007}\u{2007}7", "1\u{202f}234"));
        assert_eq!(steady_decimal(5.0, 2, Lang::Ru), "\u{2007}5,0");
        assert_eq!(steady_decimal(12.34, 2, Lang::En), "12.3");
    }

    #[test]
    fn every_outcome_and_gate_has_words() {
        for known in crate::domain::Outcome::ALL {
            assert!(outcome(known.as_str(), Lang::Ru).chars().any(|c| ('а'..='я').contains(&c)), "{known}");
        }
    }
}
