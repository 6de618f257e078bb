//! The report as one page: no script, no request to anywhere, readable from a disk or a letter.

use askama::Template;

use super::RenderError;
use super::differences::{self, Difference};
use super::rows::{self, Section, pick};
use super::{charts, effort, hours, nights, quantiles};
use crate::report::model::{Arm, Lang, Light, Report};
use crate::report::words;

struct VerdictCard {
    mode: String,
    state: &'static str,
    icon: &'static str,
    word: &'static str,
    sentence: String,
    guardrails: Vec<String>,
}

struct HealthLine {
    icon: &'static str,
    word: &'static str,
    class: &'static str,
    title: &'static str,
    text: String,
}

struct NightLine {
    night: i64,
    run: String,
    started: String,
    state: &'static str,
    cells: Vec<rows::Cell>,
}

/// A table that stands for a chart.
struct Twin {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

struct Chart {
    title: &'static str,
    caption: &'static str,
    svg: String,
    twin: Twin,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    lang: &'static str,
    w: Words,
    campaign: &'a str,
    notice: &'a str,
    data_line: String,
    generated: String,
    verdicts: Vec<VerdictCard>,
    no_comparison: &'static str,
    troubles: Vec<HealthLine>,
    fine: Vec<HealthLine>,
    modes: Vec<String>,
    /// Where the calls behind a figure are told, for a page that is served; and the modes by their names.
    links: Option<&'a str>,
    arms: Vec<&'a str>,
    sections: Vec<Section>,
    differences: Vec<Difference>,
    beside: Vec<Difference>,
    quantiles: Vec<quantiles::Line>,
    baseline: String,
    charts: Vec<Chart>,
    nights: Vec<NightLine>,
    before_answer: Vec<String>,
    apart: Vec<(String, [String; 5])>,
    notes: Vec<&'static str>,
    facts: Vec<(&'static str, String)>,
}

/// The fixed words of the page.
struct Words {
    report: &'static str,
    health: &'static str,
    healthy: &'static str,
    figures: &'static str,
    figure: &'static str,
    differences: &'static str,
    mode: &'static str,
    difference: &'static str,
    interval: &'static str,
    reading: &'static str,
    twin: &'static str,
    nights: &'static str,
    night: &'static str,
    started: &'static str,
    state: &'static str,
    before_answer: &'static str,
    before_answer_note: &'static str,
    apart: &'static str,
    contacts: &'static str,
    attempts: &'static str,
    answered: &'static str,
    human: &'static str,
    goals: &'static str,
    beside: &'static str,
    beside_note: &'static str,
    quantiles: &'static str,
    quantity: &'static str,
    method: &'static str,
    generated: &'static str,
}

fn words_of(lang: Lang) -> Words {
    let w = |en, ru| pick(lang, en, ru);
    Words {
        report: w("comparison report", "отчёт о сравнении"),
        health: w("Health", "Здоровье сравнения"),
        healthy: w("checks passed", "проверок пройдено"),
        figures: w("Figures by mode", "Показатели по режимам"),
        figure: w("figure", "показатель"),
        differences: w("Difference from", "Разница с"),
        mode: w("mode", "режим"),
        difference: w("difference", "разница"),
        interval: w("95 % interval", "интервал 95 %"),
        reading: w("reading", "значение"),
        twin: w("The same as a table", "То же таблицей"),
        nights: w("Runs", "Прогоны"),
        night: w("run", "прогон"),
        started: w("started", "начало"),
        state: w("state", "состояние"),
        before_answer: w("Set apart: failures before the answer", "Отдельно: сбои до ответа"),
        before_answer_note: w(
            "They speak of carriers, the provider or us, and are in no comparison.",
            "Они говорят об операторах, платформе или о нас и в сравнение не входят.",
        ),
        apart: w("Not in the experiment", "Вне эксперимента"),
        contacts: w("contacts", "контакты"),
        attempts: w("attempts", "попытки"),
        answered: w("answered", "отвечено"),
        human: w("human calls", "разговоры"),
        goals: w("goals", "цели"),
        beside: w("Everything else, compared", "Всё остальное в сравнении"),
        beside_note: w(
            "Shown, not claimed: nothing is corrected for how many figures there are.",
            "Показано, без утверждений: поправки на число показателей нет.",
        ),
        quantiles: w("Every quantile with its limits", "Все квантили с границами"),
        quantity: w("n", "n"),
        method: w("How to read this", "Как это читать"),
        generated: w("generated", "создано"),
    }
}

const NOTES: [(&str, &str); 6] = [
    (
        "call_turn_ms is the primary latency: for each call the median wait from the end of the callee's speech to the first audio of the reply; the figure of a mode is the median over calls.",
        "call_turn_ms — главная задержка: для каждого звонка медиана ожидания от конца речи абонента до первого звука ответа; показатель режима — медиана по звонкам.",
    ),
    (
        "“Faster” needs the same sign when unanswered turns count as waits without end.",
        "«Быстрее» говорится, только если знак тот же, когда реплики без ответа считаются бесконечным ожиданием.",
    ),
    (
        "Success is counted by contact: contacts that reached the goal, of those with whom a person talked. A contact counts once, in its first run with a conversation.",
        "Успех считается по контактам: достигшие цели из тех, с кем состоялся разговор. Контакт считается один раз, в первом прогоне с разговором.",
    ),
    (
        "Intervals are 95 %: Wilson for a rate, Newcombe for a difference of rates, order statistics for a quantile over calls, call clusters for quantiles over turns, a bootstrap over contacts inside each run for the difference of medians.",
        "Интервалы 95 %: Уилсон для доли, Ньюкомб для разницы долей, порядковые статистики для квантиля по звонкам, звонки как кластеры для квантилей по репликам, бутстреп по контактам внутри прогона для разницы медиан.",
    ),
    (
        "A limit of a quantile does not exist below 6 calls (p50), 36 (p90), 72 (p95), 368 (p99): then the table says how many there are.",
        "Границы квантиля не существует, если звонков меньше 6 (p50), 36 (p90), 72 (p95), 368 (p99): тогда в таблице указано их число.",
    ),
    (
        "Claims of several modes are corrected by Holm; guardrails are not: a missed harm costs more than a false alarm.",
        "Утверждения о нескольких режимах поправлены по Холму; предохранители — нет: пропущенный вред дороже ложной тревоги.",
    ),
];

fn run_state(state: crate::report::figures::RunState, lang: Lang) -> &'static str {
    use crate::report::figures::RunState;
    match state {
        RunState::Running => pick(lang, "running", "идёт"),
        RunState::Paused => pick(lang, "paused", "на паузе"),
        RunState::Stopped => pick(lang, "stopped", "остановлен"),
        RunState::Completed => pick(lang, "completed", "завершён"),
    }
}

/// To be kept: it leads nowhere.
pub fn html(report: &Report, lang: Lang) -> Result<String, RenderError> {
    page(report, lang, None)
}

/// To be served: each figure of a mode leads to `links`, with `mode` and `night` behind it.
pub fn html_with_links(report: &Report, lang: Lang, links: &str) -> Result<String, RenderError> {
    page(report, lang, Some(links))
}

fn page(report: &Report, lang: Lang, links: Option<&str>) -> Result<String, RenderError> {
    let (troubles, fine) = health_lines(report, lang);
    let page = Page {
        lang: lang.as_str(),
        w: words_of(lang),
        campaign: &report.campaign,
        notice: rows::notice(report, lang),
        data_line: rows::data_line(report, lang),
        generated: rows::instant(report.generated_at),
        verdicts: verdict_cards(report, lang),
        no_comparison: rows::no_comparison(report, lang),
        troubles,
        fine,
        modes: report.arms.iter().map(|arm| rows::mode_title(arm, lang)).collect(),
        links,
        arms: report.arms.iter().map(|arm| arm.mode.as_str()).collect(),
        sections: rows::sections(report, lang),
        differences: differences::differences(report, lang),
        beside: differences::beside(report, lang),
        quantiles: quantiles::lines(report, lang),
        baseline: report.design.baseline.to_string(),
        charts: chart_list(report, lang),
        nights: night_lines(report, lang),
        before_answer: rows::before_answer(report, lang),
        apart: report
            .apart
            .iter()
            .map(|row| {
                let counts = [row.contacts, row.attempts, row.answered, row.human, row.goals];
                (row.mode.to_string(), counts.map(words::count))
            })
            .collect(),
        notes: NOTES.iter().map(|(en, ru)| pick(lang, en, ru)).collect(),
        facts: facts(report, lang).into_iter().filter(|(_, told)| !told.is_empty()).collect(),
    };
    Ok(page.render()?)
}

fn verdict_cards(report: &Report, lang: Lang) -> Vec<VerdictCard> {
    report
        .verdicts
        .iter()
        .map(|verdict| VerdictCard {
            mode: verdict.mode.to_string(),
            state: verdict.state.as_str(),
            icon: verdict.state.icon(),
            word: verdict.state.word(lang),
            sentence: verdict.sentence.get(lang).to_owned(),
            guardrails: verdict.guardrails.iter().map(|text| text.get(lang).to_owned()).collect(),
        })
        .collect()
}

/// What needs eyes, worst first; and what is in order.
fn health_lines(report: &Report, lang: Lang) -> (Vec<HealthLine>, Vec<HealthLine>) {
    let mut checks: Vec<_> = report.health.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.light));
    let line = |check: &&crate::report::model::Check| {
        let (icon, word) = rows::light_words(check.light, lang);
        let class = match check.light {
            Light::Good => "good",
            Light::NotChecked => "idle",
            Light::Warning => "warning",
            Light::NotComparable | Light::Invalid => "bad",
        };
        HealthLine { icon, word, class, title: rows::check_title(check, lang), text: check.text.get(lang).to_owned() }
    };
    let (troubles, fine): (Vec<_>, Vec<_>) = checks.iter().partition(|check| check.light > Light::NotChecked);
    (troubles.into_iter().map(line).collect(), fine.into_iter().map(line).collect())
}

fn chart_list(report: &Report, lang: Lang) -> Vec<Chart> {
    let mut found = Vec::new();
    if let Some(svg) = charts::ecdf(report, lang) {
        found.push(Chart {
            title: pick(lang, "How long callees wait for a reply", "Сколько абонент ждёт ответа"),
            caption: pick(
                lang,
                "Share of calls whose median wait is at most so long. Further left is faster; calls that never got a reply keep a curve below 100 %.",
                "Доля звонков, в которых медиана ожидания не больше указанной. Левее — быстрее; звонки без единого ответа оставляют кривую ниже 100 %.",
            ),
            svg,
            twin: ecdf_twin(report, lang),
        });
    }
    if let Some(svg) = charts::forest(report, lang) {
        found.push(Chart {
            title: pick(lang, "Differences with their intervals", "Разница и её интервалы"),
            caption: pick(
                lang,
                "Point and 95 % interval; hollow marks are secondary. An interval across zero settles nothing about the sign.",
                "Точка и интервал 95 %; пустые знаки — вторичные показатели. Интервал через ноль ничего не говорит о знаке.",
            ),
            svg,
            twin: Twin {
                head: [("mode", "режим"), ("figure", "показатель"), ("difference", "разница"), ("95 % interval", "интервал 95 %")]
                    .map(|(en, ru)| pick(lang, en, ru).to_owned())
                    .to_vec(),
                rows: differences::differences(report, lang)
                    .into_iter()
                    .map(|row| vec![row.mode, row.metric, row.cell.main, row.cell.note])
                    .collect(),
            },
        });
    }
    if let Some(svg) = charts::funnel(report, lang) {
        found.push(Chart {
            title: pick(lang, "From contact to goal", "От контакта до цели"),
            caption: pick(
                lang,
                "Contacts left at each step, and their share of those assigned.",
                "Сколько контактов осталось на каждом шаге и какая это доля назначенных.",
            ),
            svg,
            twin: funnel_twin(report, lang),
        });
    }
    for drawn in nights::Drawn::ALL {
        let Some(svg) = nights::chart(report, drawn, lang) else { continue };
        let (head, rows) = nights::twin(report, drawn, lang);
        found.push(Chart {
            title: drawn.title(lang),
            caption: pick(
                lang,
                "Each night by itself. An upright line stands where something else was played from then on. The table holds each night's difference from the baseline.",
                "Каждая ночь сама по себе. Вертикальная линия стоит там, где с этой ночи играется другое. В таблице — разница с базой за каждую ночь.",
            ),
            svg,
            twin: Twin { head, rows },
        });
    }
    if let Some(svg) = hours::chart(report, lang) {
        let (head, rows) = hours::twin(report, lang);
        found.push(Chart {
            title: hours::title(lang),
            caption: pick(
                lang,
                "Exploratory. Hours in the campaign's zone; goals of human calls, filled by their share from ten calls on.",
                "Разведочно. Часы в поясе кампании; цели из разговоров, заливка по доле, начиная с десяти звонков.",
            ),
            svg,
            twin: Twin { head, rows },
        });
    }
    found
}

fn ecdf_twin(report: &Report, lang: Lang) -> Twin {
    let quantiles = |arm: &Arm| {
        let found = arm.latency("call_turn_ms")?;
        Some([&found.p50, &found.p90, &found.p95].map(|quantile| words::quantile(quantile, found.largest_ms)))
    };
    let yardsticks = crate::report::arms::YARDSTICKS_MS;
    let head = [pick(lang, "mode", "режим"), pick(lang, "calls", "звонков"), "p50", "p90", "p95"].map(str::to_owned);
    let head = head
        .into_iter()
        .chain(yardsticks.map(|ms| format!("≤ {} {}", words::count(u64::from(ms)), pick(lang, "ms", "мс"))));
    let rows = report.arms.iter().map(|arm| {
        let first = [arm.mode.to_string(), words::count(arm.turns.calls_with_latency)];
        let within = arm.call_turn_within.iter().map(|within| words::rate(&within.rate, lang));
        first.into_iter().chain(quantiles(arm).into_iter().flatten()).chain(within).collect()
    });
    Twin { head: head.collect(), rows: rows.collect() }
}

fn funnel_twin(report: &Report, lang: Lang) -> Twin {
    let steps = report.arms.first().map(|arm| charts::funnel_steps(arm, lang)).unwrap_or_default();
    let head =
        std::iter::once(pick(lang, "mode", "режим").to_owned()).chain(steps.iter().map(|(name, _)| (*name).to_owned()));
    let rows = report.arms.iter().map(|arm| {
        let counts = charts::funnel_steps(arm, lang).into_iter().map(|(_, k)| words::count(k));
        std::iter::once(arm.mode.to_string()).chain(counts).collect()
    });
    Twin { head: head.collect(), rows: rows.collect() }
}

fn night_lines(report: &Report, lang: Lang) -> Vec<NightLine> {
    report
        .nights
        .iter()
        .map(|night| NightLine {
            night: night.night,
            run: night.run_id.clone(),
            started: rows::instant(night.started_at),
            state: run_state(night.state, lang),
            cells: night
                .arms
                .iter()
                .map(|arm| rows::Cell {
                    main: words::rate(&arm.success_rate, lang),
                    note: match arm.call_turn_ms.estimate {
                        Some(median) => format!("{} {}", words::ms(median), pick(lang, "ms", "мс")),
                        None => "–".to_owned(),
                    },
                })
                .collect(),
        })
        .collect()
}

fn facts(report: &Report, lang: Lang) -> Vec<(&'static str, String)> {
    let design = &report.design;
    let weights = design.arms.iter().map(|arm| format!("{} {}", arm.mode, arm.weight)).collect::<Vec<_>>().join(" : ");
    vec![
        (pick(lang, "arms and weights", "режимы и веса"), weights),
        (pick(lang, "baseline", "база"), design.baseline.to_string()),
        (
            pick(lang, "primary figures", "главные показатели"),
            format!("{}, {}", design.primary_latency, design.primary_success),
        ),
        (pick(lang, "success is counted by", "успех считает"), super::judged::source(report, lang).to_owned()),
        (
            pick(lang, "margin", "допуск"),
            format!("{} {}", words::points_plain(design.margin_pp / 100.0, lang), pick(lang, "pp", "п. п.")),
        ),
        (pick(lang, "regime", "порядок просмотра"), {
            let looks: Vec<String> = design.looks.iter().map(u32::to_string).collect();
            let looks = if looks.is_empty() { String::new() } else { format!(" ({})", looks.join(", ")) };
            format!("{}{looks}, {}/{}", design.regime, design.nights_completed, design.nights_planned)
        }),
        (pick(lang, "money", "деньги"), effort::money(report, lang)),
        (pick(lang, "data version, seed", "версия данных, зерно"), format!("{}, {}", report.data_version, design.seed)),
        (pick(lang, "software", "программа"), format!("{}, {}", report.software, report.schema)),
    ]
}
