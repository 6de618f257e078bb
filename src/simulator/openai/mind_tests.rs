//! A conversation with the stand-in, event by event.

use super::*;
use crate::simulator::audio::modem::{Decoder, utter};
use crate::simulator::openai::base64;

struct Talk {
    mind: Mind,
    now: u64,
}

impl Talk {
    fn with(trouble: Trouble) -> Self {
        let mut mind = Mind::new(trouble, LatencyModel::for_turn(900.0), Dice::of_start(1, 1), "gpt-realtime", 1);
        assert_eq!(names(&mind.take()), ["session.created"]);
        let mut talk = Talk { mind, now: 0 };
        let told = talk.say(json!({ "type": "session.update", "session": {
            "instructions": "PHASE 1 hello: «Здравствуйте!»\nPHASE 2 ask: «Когда вам удобно?»\nEND: «Спасибо, до свидания!»",
            "tools": [{ "type": "function", "name": "end_call" }],
            "audio": { "input": { "format": { "type": "audio/pcmu" }, "transcription": { "model": "gpt-4o-transcribe" } },
                "output": { "format": { "type": "audio/pcmu" }, "voice": "cedar" } },
        }}));
        let expected = if trouble == Trouble::Errs { "error" } else { "session.updated" };
        assert_eq!(names(&told), [expected]);
        talk
    }

    fn say(&mut self, event: Value) -> Vec<Value> {
        self.mind.hear(&event.to_string(), self.now);
        self.mind.take()
    }

    fn speak(&mut self, text: &str) -> Vec<Value> {
        let mut audio = Law::Ulaw.encode(&utter(text, 1_000, 8_000));
        audio.extend(Law::Ulaw.encode(&[0; 8_000]));
        let pieces =
            audio.chunks(160).map(|piece| json!({ "type": "input_audio_buffer.append", "audio": base64(piece) }));
        pieces.flat_map(|event| self.say(event)).collect()
    }

    /// Everything until nothing is to come any more.
    fn wait(&mut self) -> Vec<Value> {
        let mut told = Vec::new();
        while let Some(at) = self.mind.next_at() {
            self.now = at;
            self.mind.due(at);
            told.extend(self.mind.take());
        }
        told
    }
}

fn names(told: &[Value]) -> Vec<&str> {
    told.iter().filter_map(|event| event["type"].as_str()).collect()
}

fn of<'a>(told: &'a [Value], name: &str) -> Vec<&'a Value> {
    told.iter().filter(|event| event["type"] == name).collect()
}

/// What somebody understands who hears the audio of these events.
fn understood(told: &[Value]) -> String {
    let mut decoder = Decoder::new(8_000);
    for delta in of(told, "response.output_audio.delta") {
        let bytes = unbase64(delta["delta"].as_str().expect("audio")).expect("base64");
        decoder.hear(&Law::Ulaw.decode(&bytes));
    }
    decoder.finish().text
}

#[test]
fn a_turn_has_the_order_of_the_real_one() {
    let mut talk = Talk::with(Trouble::None);
    let mut told = talk.say(json!({ "type": "response.create" }));
    told.extend(talk.wait());
    assert_eq!(understood(&told), "Здравствуйте!");
    let mut told = talk.speak("Алло?");
    told.extend(talk.wait());
    let mut order = names(&told);
    order.dedup();
    order.retain(|name| !name.contains("delta") && !name.contains("transcription"));
    assert_eq!(
        order,
        [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
            "rate_limits.updated",
        ]
    );
    let heard = of(&told, "conversation.item.input_audio_transcription.completed");
    assert_eq!(heard[0]["transcript"], "Алло?");
    assert_eq!(understood(&told), "Когда вам удобно?");
    let said = of(&told, "response.output_audio_transcript.delta");
    let text: String = said.iter().filter_map(|it| it["delta"].as_str()).collect();
    assert_eq!(text, "Когда вам удобно?");
}

#[test]
fn the_script_ends_with_its_tool() {
    let mut talk = Talk::with(Trouble::None);
    talk.say(json!({ "type": "response.create" }));
    talk.wait();
    talk.speak("Да.");
    talk.wait();
    let mut told = talk.speak("Завтра.");
    told.extend(talk.wait());
    assert_eq!(understood(&told), "Спасибо, до свидания!");
    let call = of(&told, "response.function_call_arguments.done")[0];
    assert_eq!((&call["name"], &call["arguments"]), (&json!("end_call"), &json!("{\"goal\":true,\"answers\":{}}")));
    let done = of(&told, "response.done")[0];
    assert_eq!(done["response"]["output"].as_array().map(Vec::len), Some(2));
    assert!(done["response"]["usage"]["output_tokens"].as_u64() > Some(20));
}

#[test]
fn speech_is_made_faster_than_it_is_heard_unless_it_is_slow() {
    for (trouble, quicker) in [(Trouble::None, true), (Trouble::Slow, false)] {
        let mut talk = Talk::with(trouble);
        talk.say(json!({ "type": "response.create", "response": { "instructions": "Say exactly: «Раз, два, три, четыре, пять, шесть.»" } }));
        talk.now = talk.mind.next_at().expect("the first sound");
        let began = talk.now;
        let told = talk.wait();
        let bytes: usize = of(&told, "response.output_audio.delta")
            .iter()
            .filter_map(|it| Some(it["delta"].as_str()?.len() * 3 / 4))
            .sum();
        let lasts_ms = bytes as u64 / 8;
        assert_eq!(talk.now - began < lasts_ms / 2, quicker, "{lasts_ms} ms of speech took {} ms", talk.now - began);
    }
}

#[test]
fn whoever_speaks_cancels_the_response_and_may_cut_what_was_said() {
    let mut talk = Talk::with(Trouble::None);
    let long = "Say exactly: «Это очень длинная фраза, которую никто не дослушает до самого конца.»";
    talk.say(json!({ "type": "response.create", "response": { "instructions": long } }));
    talk.now = talk.mind.next_at().expect("the first sound");
    talk.mind.due(talk.now);
    let item = of(&talk.mind.take(), "response.output_audio.delta")[0]["item_id"].clone();
    let again = talk.say(json!({ "type": "response.create" }));
    assert_eq!(again[0]["error"]["code"], "conversation_already_has_active_response");
    let told = talk.speak("Подождите.");
    let done = of(&told, "response.done")[0];
    assert_eq!(
        (&done["response"]["status"], &done["response"]["status_details"]["reason"]),
        (&json!("cancelled"), &json!("turn_detected"))
    );
    let cut = |ms: u64| json!({ "type": "conversation.item.truncate", "item_id": item, "content_index": 0, "audio_end_ms": ms });
    assert_eq!(names(&talk.say(cut(120))), ["conversation.item.truncated"]);
    assert_eq!(names(&talk.say(cut(121))), ["error"], "no more than is left of it");
}

#[test]
fn trouble_is_as_asked_for() {
    let asked = json!({ "type": "response.create" });
    let mut talk = Talk::with(Trouble::Fails);
    talk.say(asked.clone());
    talk.wait();
    let told = talk.say(asked.clone());
    assert_eq!(of(&told, "response.done")[0]["response"]["status"], "failed");
    for (trouble, gone) in [(Trouble::Breaks, Gone::Broken), (Trouble::Closes, Gone::Closed(1011, "internal error"))] {
        let mut talk = Talk::with(trouble);
        talk.say(asked.clone());
        talk.wait();
        assert_eq!(talk.mind.gone(), None);
        talk.say(asked.clone());
        assert_eq!(talk.mind.gone(), Some(gone));
    }
    let mut talk = Talk::with(Trouble::Mute);
    talk.say(asked);
    assert!(of(&talk.wait(), "response.output_audio.delta").is_empty());
    Talk::with(Trouble::Errs);
}

#[test]
fn what_is_wrong_is_said_in_the_api_s_own_form() {
    let mut talk = Talk::with(Trouble::None);
    for (event, param) in [
        (json!({ "type": "opera" }), json!("type")),
        (
            json!({ "type": "session.update", "session": { "audio": { "output": { "voice": "Anna" } } } }),
            json!("session.audio.output.voice"),
        ),
        (
            json!({ "type": "session.update", "session": { "audio": { "input": { "format": { "type": "opus" } } } } }),
            json!("session.audio.input.format"),
        ),
        (json!({ "type": "input_audio_buffer.append", "audio": "*" }), json!("audio")),
        (json!({ "type": "conversation.item.truncate", "item_id": "x", "audio_end_ms": 1 }), json!("item_id")),
    ] {
        let mut event = event;
        event["event_id"] = json!("mine");
        let told = talk.say(event);
        assert_eq!(names(&told), ["error"]);
        assert_eq!((&told[0]["error"]["param"], &told[0]["error"]["event_id"]), (&param, &json!("mine")));
    }
    talk.mind.hear("{", 0);
    assert_eq!(talk.mind.take()[0]["error"]["code"], "invalid_json");
    assert_eq!(
        talk.say(json!({ "type": "input_audio_buffer.commit" }))[0]["error"]["code"],
        "input_audio_buffer_commit_empty"
    );
    assert_eq!(talk.say(json!({ "type": "response.cancel" }))[0]["error"]["code"], "response_cancel_not_active");
}

#[test]
fn sixty_four_letters_and_back() {
    for length in 0..10 {
        let bytes: Vec<u8> = (0..length).map(|n| 250_u8.wrapping_add(37_u8.wrapping_mul(n))).collect();
        assert_eq!(unbase64(&base64(&bytes)), Some(bytes));
    }
    assert_eq!(base64("привет".as_bytes()), "0L/RgNC40LLQtdGC");
}
