//! Amounts by hand, and that no call costs more than the most.

use super::*;
use proptest::prelude::*;

fn dial() -> Dial {
    Dial { cps: 1.0, lines: 1, caller_ids: Vec::new(), ring_s: 30, call_s: 120, record: false, amd: Amd::Off }
}

fn source() -> Source {
    Source { source: "a test".into(), date: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), unverified: true }
}

fn prices() -> Prices {
    let call = |to: &str, minute, step_s| CallPrice { to: to.into(), minute, step_s, source: source() };
    let minutes = Part::ALL.iter().zip([1_000, 2_000, 6_000, 30_000, 40_000, 10_000]);
    let tokens =
        |n| TokenPrices { text_in: n, text_cached: n, text_out: n, audio_in: n, audio_cached: n, audio_out: n };
    let model = |n| ModelPrice { tokens: tokens(n), source: source() };
    Prices {
        date: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
        currency: "USD".into(),
        rates: Vec::new(),
        calls: vec![call("", 100_000, 60), call("+7", 60_000, 60), call("+7999", 30_000, 1)],
        minutes: minutes.map(|(part, minute)| (*part, MinutePrice { minute, source: source() })).collect(),
        models: [("small".to_owned(), model(1_000_000)), ("large".to_owned(), model(2_000_000))].into(),
    }
}

fn tariff(to: &str, mode: &str, dial: &Dial) -> Tariff {
    prices().tariff(&to.parse().unwrap(), &mode.parse().unwrap(), dial, &models("small"))
}

fn models(realtime: &str) -> Models {
    Models { realtime: realtime.into(), replier: Some("large".into()) }
}

#[test]
fn the_longest_beginning_wins_and_steps_are_billed_whole() {
    let to = |number: &str| tariff(number, "greeting", &dial()).call_minute;
    assert_eq!((to("+79990000001"), to("+74951234567"), to("+12025550100")), (30_000, 60_000, 100_000));
    let by_the_minute = tariff("+74951234567", "greeting", &dial());
    // 61 s: two minutes of the call, 91 s of the session, 61 s of synthesis.
    assert_eq!(by_the_minute.provider(30, 61), (60_000 * 120 + 1_000 * 91 + 40_000 * 61 + 59) / 60);
    assert_eq!(by_the_minute.provider(30, 0), 500, "nobody picked up: the session alone");
    assert_eq!(by_the_minute.provider(0, 1), (60_000 * 60 + 1_000 + 40_000 + 59) / 60, "rounded up");
}

#[test]
fn a_mode_pays_for_what_it_uses() {
    let talk = |mode: &str| tariff("+79990000001", mode, &dial()).talk_minute;
    assert_eq!((talk("greeting"), talk("dialog"), talk("realtime"), talk("own")), (40_000, 70_000, 10_000, 80_000));
    let with = |record, amd| tariff("+79990000001", "dialog", &Dial { record, amd, ..dial() });
    assert_eq!(with(true, Amd::Off).talk_minute, 72_000);
    assert_eq!(with(false, Amd::Mark).provider(0, 600) - with(false, Amd::Off).provider(0, 600), 6_000, "a minute");
    assert_eq!(tariff("+79990000001", "dialog", &dial()).models(60), 0);
    // 2 000 told, 13 replies that read them and 900 of 1 800 spoken again, 600 heard, 1 200 said; one micro each.
    assert_eq!(tariff("+79990000001", "realtime", &dial()).models(60), 2_000 + 13 * 2_900 + 1_800);
}

#[test]
fn an_unknown_model_costs_as_the_dearest() {
    let mode: Mode = "realtime_pure".parse().unwrap();
    let of =
        |model: &str| prices().tariff(&"+79990000001".parse().unwrap(), &mode, &dial(), &models(model)).model.unwrap();
    assert_eq!(
        (of("small").audio_in, of("large").audio_in, of("of tomorrow").audio_in),
        (1_000_000, 2_000_000, 2_000_000)
    );
    assert_eq!(of("small").cost(Tokens { text_in: 3, audio_out: 4, ..Tokens::default() }), 7);
}

#[test]
fn an_age_is_in_days_and_amounts_are_shown_with_their_currency() {
    assert_eq!(prices().age_days(NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()), 181);
    assert_eq!(prices().unverified(), (11, 11));
    assert_eq!((shown(12_340_000, "USD"), shown(1_200, "USD"), shown(0, "RUB")).0, "12.34 USD");
    assert_eq!(shown(1_200, "USD"), "0.0012 USD");
}

#[test]
fn replies_are_paid_where_a_model_writes_them() {
    let of = |mode: &str| tariff("+79990000001", mode, &dial());
    for (mode, replied) in [
        ("dialog", true),
        ("realtime", true),
        ("own", true),
        ("realtime_pure", false),
        ("realtime_stream", false),
        ("greeting", false),
    ] {
        assert_eq!(of(mode).replies(60) > 0, replied, "{mode}");
    }
    // 13 replies, each asked for twice: 2 000 told and 150 of 300 written read again; 300 said, 40 for each call of a
    // tool; two micros each.
    assert_eq!(of("dialog").replies(60), 2 * (26 * 2_150 + 300 + 26 * 40));
    assert_eq!(
        (of("dialog").replies(0), of("dialog").most() - of("dialog").provider_most()),
        (0, of("dialog").replies(150))
    );
    let without = Models { replier: None, ..models("small") };
    let ruled = prices().tariff(&"+79990000001".parse().unwrap(), &Mode::dialog(), &dial(), &without);
    assert_eq!(ruled.most(), ruled.provider_most());
    // A tariff of before knew no replier.
    let mut kept = serde_json::to_value(&ruled).unwrap();
    kept.as_object_mut().unwrap().remove("replier");
    assert_eq!(serde_json::from_value::<Tariff>(kept).unwrap(), ruled);
}

proptest! {
    /// What is reserved is enough for whatever becomes of the call.
    #[test]
    fn no_call_costs_more_than_the_most(
        ring_s in 5u32..=120, call_s in 5u32..=3600, rang in 0i64..=120, talked in 0i64..=3630,
        mode in prop::sample::select(vec!["greeting", "dialog", "realtime", "own"]), record: bool,
        amd in prop::sample::select(Amd::ALL.to_vec()),
    ) {
        let dial = Dial { ring_s, call_s, record, amd, ..dial() };
        let tariff = tariff("+74951234567", mode, &dial);
        let (rang, talked) = (rang.min(i64::from(ring_s)), talked.min(i64::from(call_s) + GOODBYE_S));
        prop_assert!(tariff.of(rang, talked) <= tariff.most());
        prop_assert!(prices().cheapest(&mode.parse().unwrap(), &dial, &models("small")).most() <= tariff.most());
    }
}
