//! The comparison as rows of words: one per figure, one cell per mode. Table, Markdown and page
//! print the same rows.

use crate::report::answers::AnswerTable;
use crate::report::model::{Arm, Check, FaultName, Interval, Lang, Latency, Light, Rate, Report};
use crate::report::words;

pub struct Row {
    pub label: String,
    /// A second, quieter line under the label.
    pub hint: String,
    pub cells: Vec<Cell>,
    /// The figure that the verdict speaks of.
    pub primary: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub main: String,
    /// Limits, or why there are none.
    pub note: String,
}

pub struct Section {
    pub title: &'static str,
    pub rows: Vec<Row>,
}

pub fn pick(lang: Lang, en: &'static str, ru: &'static str) -> &'static str {
    match lang {
        Lang::En => en,
        Lang::Ru => ru,
    }
}

pub fn mode_title(arm: &Arm, lang: Lang) -> String {
    if arm.baseline { format!("{} ({})", arm.mode, pick(lang, "baseline", "база")) } else { arm.mode.to_string() }
}

/// The figures of every arm.
pub fn sections(report: &Report, lang: Lang) -> Vec<Section> {
    let mut sections = vec![
        Section { title: pick(lang, "Reach", "Дозвон"), rows: reach(report, lang) },
        Section { title: pick(lang, "Success", "Успех"), rows: success(report, lang) },
        Section { title: pick(lang, "Latency, ms", "Задержки, мс"), rows: latency(report, lang) },
        super::effort::section(report, lang),
    ];
    let stages = stages(report, lang);
    if !stages.is_empty() {
        let title = pick(lang, "Stages of a reply, ms: not a sum", "Этапы ответа, мс: не сумма");
        sections.insert(3, Section { title, rows: stages });
    }
    if !report.answers.is_empty() {
        sections.push(Section { title: pick(lang, "Answers", "Ответы"), rows: answers(report, lang) });
    }
    sections.extend(super::judged::section(report, lang));
    sections
}

/// Each answer: in how many of the human calls it was given, and what it was.
fn answers(report: &Report, lang: Lang) -> Vec<Row> {
    let one = |table: &AnswerTable| {
        row(report, &table.name, pick(lang, "given in human calls", "дан в разговорах"), |arm| {
            let Some(of) = table.modes.iter().find(|of| of.mode == arm.mode) else { return Cell::default() };
            let values = of.values.iter().map(|(value, n)| match value.as_str() {
                "true" => format!("{} {n}", pick(lang, "yes", "да")),
                "false" => format!("{} {n}", pick(lang, "no", "нет")),
                value => format!("{value}: {n}"),
            });
            let note = match of.mean {
                Some(mean) => format!("{} {mean:.1}", pick(lang, "mean", "среднее")),
                None => values.collect::<Vec<_>>().join(", "),
            };
            Cell { main: format!("{} / {}", of.given, of.calls), note }
        })
    };
    report.answers.iter().map(one).collect()
}

fn row(report: &Report, label: &str, hint: &str, cell: impl Fn(&Arm) -> Cell) -> Row {
    Row {
        label: label.to_owned(),
        hint: hint.to_owned(),
        cells: report.arms.iter().map(cell).collect(),
        primary: false,
    }
}

fn plain(text: String) -> Cell {
    Cell { main: text, note: String::new() }
}

fn rate_cell(rate: &Rate, lang: Lang) -> Cell {
    Cell { main: words::rate(rate, lang), note: words::rate_limits(rate, lang).unwrap_or_default() }
}

fn reach(report: &Report, lang: Lang) -> Vec<Row> {
    vec![
        row(report, pick(lang, "contacts", "контакты"), "", |arm| plain(words::count(arm.contacts.assigned))),
        row(report, pick(lang, "attempts dialled", "попытки"), "", |arm| plain(words::count(arm.attempts))),
        row(
            report,
            pick(lang, "answered", "отвечено"),
            pick(lang, "of attempts", "из попыток"),
            |arm| plain(words::rate(&arm.rates.answer_seizure_rate, lang)),
        ),
        row(report, pick(lang, "human calls", "разговоры с людьми"), "", |arm| {
            plain(words::count(arm.human))
        }),
        row(
            report,
            pick(lang, "people reached", "дозвонились"),
            pick(lang, "of contacts", "из контактов"),
            |arm| plain(words::rate(&arm.rates.reach_rate, lang)),
        ),
    ]
}

fn success(report: &Report, lang: Lang) -> Vec<Row> {
    let mut primary = row(
        report,
        pick(lang, "success", "успех"),
        pick(lang, "of people reached", "из дозвонившихся"),
        |arm| rate_cell(&arm.rates.success_rate, lang),
    );
    primary.primary = true;
    vec![
        primary,
        row(
            report,
            pick(lang, "success by assignment", "успех по назначению"),
            pick(lang, "of contacts", "из контактов"),
            |arm| plain(words::rate(&arm.rates.success_assigned_rate, lang)),
        ),
        row(
            report,
            pick(lang, "early hang-ups", "ранние отбои"),
            pick(lang, "of human calls", "из разговоров"),
            |arm| plain(words::rate(&arm.rates.early_hangup_rate, lang)),
        ),
        row(
            report,
            pick(lang, "faults after the answer", "сбои после ответа"),
            pick(lang, "of answered", "из отвеченных"),
            |arm| plain(words::rate(&arm.rates.fault_rate, lang)),
        ),
    ]
}

fn latency(report: &Report, lang: Lang) -> Vec<Row> {
    let median = |name: &'static str| {
        move |arm: &Arm| match arm.latency(name) {
            Some(found) => plain(quantile_words(&found.p50, found, lang)),
            None => Cell::default(),
        }
    };
    let four = |name: &'static str| {
        move |arm: &Arm| match arm.latency(name) {
            Some(found) => plain(
                [&found.p50, &found.p90, &found.p95, &found.p99]
                    .map(|quantile| quantile_words(quantile, found, lang))
                    .join(" · "),
            ),
            None => Cell::default(),
        }
    };
    let mut primary = row(
        report,
        pick(lang, "call_turn_ms median", "call_turn_ms, медиана"),
        pick(lang, "wait for a reply, per call", "ожидание ответа, на звонок"),
        |arm| match arm.latency("call_turn_ms") {
            Some(found) => limited_quantile(found, lang),
            None => Cell::default(),
        },
    );
    primary.primary = true;
    let mut rows =
        vec![primary, row(report, "turn_ms p50·p90·p95·p99", pick(lang, "over turns", "по репликам"), four("turn_ms"))];
    // Without fillers it is the same figure again.
    if report.arms.iter().any(|arm| arm.rates.filler_rate.k > 0) {
        rows.push(row(
            report,
            "turn_content_ms p50·p90·p95·p99",
            pick(lang, "fillers are no reply", "заполнители не ответ"),
            four("turn_content_ms"),
        ));
    }
    rows.extend([
        row(
            report,
            pick(lang, "turns measured", "реплик измерено"),
            pick(lang, "coverage and method", "покрытие и способ"),
            |arm| Cell {
                main: words::rate(&arm.turns.coverage, lang),
                note: arm.turns.method.map(|method| method.as_str().to_owned()).unwrap_or_default(),
            },
        ),
        row(
            report,
            "first_audio_ms p50·p90·p95·p99",
            pick(lang, "answer → agent heard", "ответ → слышен агент"),
            four("first_audio_ms"),
        ),
        row(report, "answer_ms p50", pick(lang, "dial → answer", "набор → ответ"), median("answer_ms")),
        row(report, "talk_ms p50", pick(lang, "length of human calls", "длина разговора"), median("talk_ms")),
    ]);
    rows
}

/// Median and 95th percentile of each stage that somebody measured.
fn stages(report: &Report, lang: Lang) -> Vec<Row> {
    let known = [
        ("asr_ms", "end of speech → text", "конец речи → текст"),
        ("reply_ms", "request → our reply", "запрос → наш ответ"),
        ("model_ms", "request → model's audio", "запрос → звук модели"),
        ("tts_ms", "text → audio", "текст → звук"),
    ];
    let measured = |name: &str| report.arms.iter().any(|arm| arm.latency(name).is_some_and(|found| found.n > 0));
    let one = |(name, en, ru): (&'static str, &'static str, &'static str)| {
        row(report, &format!("{name} p50·p95"), pick(lang, en, ru), |arm| match arm.latency(name) {
            Some(found) => {
                let both = [&found.p50, &found.p95];
                let main = both.map(|quantile| words::quantile(quantile, found.largest_ms)).join(" · ");
                Cell { main, note: limits_words(&found.p50) }
            }
            None => plain("–".to_owned()),
        })
    };
    known.into_iter().filter(|(name, _, _)| measured(name)).map(one).collect()
}

/// A quantile, or the rule that keeps it unprinted.
fn quantile_words(quantile: &Interval, latency: &Latency, lang: Lang) -> String {
    let reason = quantile.reason.as_deref().unwrap_or_default();
    match reason.strip_prefix("too few calls ") {
        Some(counts) => format!("{} {counts}", pick(lang, "too few", "мало")),
        None => words::quantile(quantile, latency.largest_ms),
    }
}

fn limited_quantile(latency: &Latency, lang: Lang) -> Cell {
    Cell { main: quantile_words(&latency.p50, latency, lang), note: limits_words(&latency.p50) }
}

fn limits_words(quantile: &Interval) -> String {
    quantile.limits().map_or(String::new(), |(lower, upper)| format!("{}–{}", words::ms(lower), words::ms(upper)))
}

pub fn light_words(light: Light, lang: Lang) -> (&'static str, &'static str) {
    match light {
        Light::Good => ("✔", pick(lang, "good", "в порядке")),
        Light::NotChecked => ("–", pick(lang, "not checked", "не проверено")),
        Light::Warning => ("⚠", pick(lang, "warning", "внимание")),
        Light::NotComparable => ("⊘", pick(lang, "not comparable", "несравнимо")),
        Light::Invalid => ("✘", pick(lang, "invalid", "недействительно")),
    }
}

pub fn check_title(check: &Check, lang: Lang) -> &'static str {
    match check.check.as_str() {
        "sums" => pick(lang, "sums", "суммы"),
        "sample_ratio" => pick(lang, "sample ratio", "доли режимов"),
        "reach_balance" => pick(lang, "reach", "дозвон"),
        "lost_outcomes" => pick(lang, "lost outcomes", "потерянные исходы"),
        "method" => pick(lang, "method", "способ измерения"),
        "coverage" => pick(lang, "coverage", "покрытие"),
        "late_greetings" => pick(lang, "late greetings", "поздние приветствия"),
        "settings" => pick(lang, "settings", "настройки"),
        "interleaving" => pick(lang, "interleaving", "чередование"),
        "bundles" => pick(lang, "what was played", "что игралось"),
        "control" => pick(lang, "control band", "контрольные границы"),
        "aa" => pick(lang, "equal modes", "равные режимы"),
        "judge" => pick(lang, "judge", "судья"),
        "goal_bias" => pick(lang, "who counts goals", "кто считает цели"),
        _ => pick(lang, "plausibility", "правдоподобие"),
    }
}

pub fn fault_words(fault: FaultName, lang: Lang) -> &'static str {
    match fault {
        FaultName::Contact => pick(lang, "contact", "абонент"),
        FaultName::Carrier => pick(lang, "carrier", "оператор связи"),
        FaultName::Provider => pick(lang, "provider", "платформа"),
        FaultName::Us => pick(lang, "us", "мы"),
        FaultName::Unknown => pick(lang, "unknown", "неизвестно"),
    }
}

/// "dialog: network_error 3 (carrier), lost 1 (unknown)".
pub fn before_answer(report: &Report, lang: Lang) -> Vec<String> {
    report
        .arms
        .iter()
        .filter_map(|arm| {
            let own: Vec<String> = report
                .before_answer
                .iter()
                .filter(|row| row.mode == arm.mode)
                .map(|row| format!("{} {} ({})", row.outcome, words::count(row.n), fault_words(row.fault, lang)))
                .collect();
            (!own.is_empty()).then(|| format!("{}: {}", arm.mode, own.join(", ")))
        })
        .collect()
}

/// "simulated: …" with its first letter as given; empty for a real run.
pub fn notice(report: &Report, lang: Lang) -> &str {
    report.notice.as_ref().map_or("", |text| text.get(lang))
}

/// The instant in a form that both languages read.
pub fn instant(at: crate::domain::Timestamp) -> String {
    at.utc().map_or_else(|| "–".to_owned(), |utc| utc.format("%Y-%m-%d %H:%M UTC").to_string())
}

pub fn data_line(report: &Report, lang: Lang) -> String {
    let runs = format!("{}/{}", report.design.nights_completed, report.design.nights_planned);
    match lang {
        Lang::En => format!(
            "data as of {} · runs completed {runs} · regime {} · margin {} pp · 95 % intervals · data {}",
            instant(report.data_as_of),
            report.design.regime,
            words::points_plain(report.design.margin_pp / 100.0, lang),
            report.data_version
        ),
        Lang::Ru => format!(
            "данные на {} · завершено прогонов {runs} · просмотр {} · допуск {} п. п. · интервалы 95 % · данные {}",
            instant(report.data_as_of),
            report.design.regime,
            words::points_plain(report.design.margin_pp / 100.0, lang),
            report.data_version
        ),
    }
}

/// What stands where there is no verdict.
pub fn no_comparison(report: &Report, lang: Lang) -> &'static str {
    match report.design.kind.as_str() {
        "crossover" => pick(
            lang,
            "A panel of test numbers: compared number by number, without a verdict.",
            "Панель тестовых номеров: сравнение номера с самим собой, без вывода.",
        ),
        "aa" => pick(
            lang,
            "A/A: modes that play the same; see the check of the machinery.",
            "A/A: режимы играют одно и то же; смотрите проверку механизма.",
        ),
        _ => pick(lang, "One mode only: nothing to compare.", "Режим один: сравнивать не с чем."),
    }
}
