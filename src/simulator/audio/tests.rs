//! What is uttered is understood, in every form, and only what was uttered.

use super::ear::{Ear, Noticed};
use super::law::Law;
use super::modem::{Decoder, utter};

const LAWS: [Law; 5] = [Law::Ulaw, Law::Alaw, Law::Linear(8_000), Law::Linear(16_000), Law::Linear(24_000)];
const TEXT: &str = "Алло, здравствуйте! Is this №7? Да, слушаю.";

#[test]
fn what_is_uttered_is_understood() {
    for law in LAWS {
        let samples = utter(TEXT, 2_500, law.rate());
        assert_eq!(samples.len(), law.samples_of_ms(2_500), "{law:?} sounds for as long as it was to");
        let mut decoder = Decoder::new(law.rate());
        // Not at the beginning of anything.
        decoder.hear(&vec![0; 1_237]);
        for piece in law.decode(&law.encode(&samples)).chunks(161) {
            decoder.hear(piece);
        }
        let understood = decoder.finish();
        assert_eq!((&*understood.text, understood.lasts_ms, understood.whole), (TEXT, Some(2_500), true), "{law:?}");
        decoder.hear(&utter("и ещё", 500, law.rate()));
        assert_eq!(decoder.finish().text, "и ещё");
    }
}

#[test]
fn what_is_lost_is_missed() {
    let law = Law::Ulaw;
    let mut bytes = law.encode(&utter(TEXT, 2_500, 8_000));
    bytes.drain(4_000..4_160);
    let mut decoder = Decoder::new(8_000);
    decoder.hear(&law.decode(&bytes));
    let understood = decoder.finish();
    assert_ne!(understood.text, TEXT, "twenty milliseconds are two letters");
    assert!(understood.text.starts_with("Алло"));
}

#[test]
fn an_ear_hears_the_beginning_the_end_and_the_words() {
    for law in LAWS {
        let mut ear = Ear::new(law, 500);
        let mut audio = law.encode(&vec![0; law.samples_of_ms(300)]);
        audio.extend(law.encode(&utter(TEXT, 2_000, law.rate())));
        audio.extend(law.encode(&vec![0; law.samples_of_ms(490)]));
        let noticed: Vec<Noticed> = audio.chunks(322).flat_map(|piece| ear.hear(piece)).collect();
        assert_eq!(noticed, [Noticed::Began { at_ms: 300 }], "{law:?}");
        let noticed = ear.hear(&law.encode(&vec![0; law.samples_of_ms(40)]));
        let [Noticed::Ended { at_ms, understood }] = &noticed[..] else { panic!("{law:?}: {noticed:?}") };
        assert_eq!((*at_ms, &*understood.text), (2_300, TEXT), "{law:?}");
    }
}

/// Two tables of one recommendation, made apart from each other: this one and the program's own.
#[test]
fn both_laws_say_silence_as_the_recommendation_does() {
    assert_eq!(
        (Law::Ulaw.encode(&[0, i16::MAX, i16::MIN]), Law::Ulaw.decode(&[0xff, 0x80, 0x00])),
        (vec![0xff, 0x80, 0x00], vec![0, 32124, -32124])
    );
    assert_eq!(
        (Law::Alaw.encode(&[0, i16::MAX, i16::MIN]), Law::Alaw.decode(&[0xaa, 0x2a])),
        (vec![0xd5, 0xaa, 0x2a], vec![32256, -32256])
    );
}
