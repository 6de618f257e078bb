//! A call between the platform and a model, event by event.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn plan(encoding: Encoding) -> Plan {
    Plan {
        instructions: "Be brief.".into(),
        tools: json!([{ "type": "function", "name": "end_call" }]),
        first_phrase: "Hello!".into(),
        voice: "cedar".into(),
        language: None,
        encoding,
    }
}

/// A bridge, with what it has said so far.
struct Talk {
    bridge: Bridge,
    now: u64,
}

impl Talk {
    fn new(plan: Plan) -> Self {
        Talk { bridge: Bridge::new(plan).expect("filters"), now: 0 }
    }

    /// Somebody has answered and the greeting is asked for.
    fn begun(encoding: Encoding) -> Self {
        let mut talk = Talk::new(plan(encoding));
        talk.model(json!({ "type": "session.created" }));
        talk.model(json!({ "type": "session.updated" }));
        talk.platform(json!({ "customEvent": "begin", "greeting": "Hello!" }));
        talk.drain();
        talk
    }

    fn model(&mut self, event: Value) {
        self.bridge.model_said(&event.to_string(), self.now);
    }

    fn platform(&mut self, frame: Value) {
        self.bridge.platform_said(&frame.to_string(), self.now);
    }

    fn wait(&mut self, ms: u64) {
        self.now += ms;
        self.bridge.tick(self.now);
    }

    fn platform_heard(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.bridge.for_platform()).map(|it| serde_json::from_str(&it).expect("JSON")).collect()
    }

    fn model_heard(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.bridge.for_model()).map(|it| serde_json::from_str(&it).expect("JSON")).collect()
    }

    fn drain(&mut self) {
        self.platform_heard();
        self.model_heard();
    }

    fn response(&mut self, id: &str) {
        self.model(json!({ "type": "response.created", "response": { "id": id } }));
    }

    fn audio(&mut self, id: &str, bytes: usize) {
        let delta = STANDARD.encode(vec![0x7f_u8; bytes]);
        let item = format!("item of {id}");
        self.model(
            json!({ "type": "response.output_audio.delta", "response_id": id, "item_id": item, "delta": delta }),
        );
    }

    fn done(&mut self, id: &str, status: &str) {
        self.model(json!({ "type": "response.done", "response": { "id": id, "status": status,
            "usage": { "input_tokens": 10, "output_tokens": 5 } } }));
    }

    fn whole(&mut self, id: &str, bytes: usize) {
        self.response(id);
        self.audio(id, bytes);
        self.model(json!({ "type": "response.output_audio.done", "response_id": id }));
        self.done(id, "completed");
    }
}

/// The names of what was said, audio by its length in bytes.
fn names(told: &[Value]) -> Vec<String> {
    let name = |told: &Value| {
        let custom = told["customEvent"].as_str().or_else(|| told["type"].as_str());
        match (custom, told["event"].as_str()) {
            (Some(name), _) => name.to_owned(),
            (None, Some("media")) => {
                let payload = STANDARD.decode(told["media"]["payload"].as_str().expect("a payload")).expect("base64");
                format!("media {}", payload.len())
            }
            (None, Some(name)) => name.to_owned(),
            (None, None) => panic!("nameless: {told}"),
        }
    };
    told.iter().map(name).collect()
}

#[test]
fn the_greeting_is_asked_for_when_both_are_there() {
    for answered_first in [true, false] {
        let mut talk = Talk::new(plan(Encoding::Ulaw));
        let begin = json!({ "customEvent": "begin", "greeting": "Recorded. Hello!" });
        talk.model(json!({ "type": "session.created" }));
        assert_eq!(names(&talk.model_heard()), ["session.update"]);
        if answered_first {
            talk.platform(begin.clone());
            assert!(talk.model_heard().is_empty(), "the session does not stand yet");
        }
        talk.model(json!({ "type": "session.updated" }));
        if !answered_first {
            assert!(talk.model_heard().is_empty(), "nobody has answered yet");
            talk.platform(begin.clone());
        }
        talk.platform(begin);
        let told = talk.model_heard();
        assert_eq!(told.len(), 1, "once: {told:?}");
        assert_eq!(told[0]["response"]["instructions"], "Say exactly: «Recorded. Hello!»");
        assert_eq!(names(&talk.platform_heard()), ["ready"]);
    }
}

#[test]
fn a_model_that_opens_on_its_own_says_our_notice_first() {
    let mut free = plan(Encoding::Ulaw);
    free.first_phrase = String::new();
    let mut talk = Talk::new(free);
    talk.model(json!({ "type": "session.created" }));
    talk.model(json!({ "type": "session.updated" }));
    talk.platform(json!({ "customEvent": "begin", "greeting": "This call is recorded." }));
    let told = talk.model_heard();
    assert_eq!(told[1]["response"]["instructions"], "Say exactly: «This call is recorded.»");
    talk.whole("r1", 160);
    let told = talk.model_heard();
    assert_eq!(told, [words::respond_in_words()]);
}

#[test]
fn audio_leaves_in_whole_pieces_and_ends_with_silence() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    talk.audio("r1", 100);
    assert_eq!(names(&talk.platform_heard()), ["response"], "less than 20 ms wait for more");
    talk.audio("r1", 1000);
    assert_eq!(names(&talk.platform_heard()), ["start", "media 800", "media 160"]);
    talk.model(json!({ "type": "response.output_audio.done", "response_id": "r1" }));
    let told = talk.platform_heard();
    assert_eq!(names(&told), ["media 160"]);
    let last = STANDARD.decode(told[0]["media"]["payload"].as_str().expect("a payload")).expect("base64");
    assert_eq!((last[139], last[140], last[159]), (0x7f, 0xff, 0xff), "filled up with silence");
    talk.done("r1", "completed");
    talk.wait(139);
    assert!(talk.platform_heard().is_empty());
    talk.wait(1);
    assert_eq!(names(&talk.platform_heard()), ["stop"], "140 ms have been heard");
}

/// Taken out: the look at `room_ms` in `flow`.
#[test]
fn never_more_than_half_the_platforms_buffer_is_ahead() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    // Half a minute of speech, at once.
    talk.whole("r1", 30 * 8_000);
    let (mut sent, mut heard_ms) = (0, 0);
    for _ in 0..3_000 {
        let bytes: usize = names(&talk.platform_heard())
            .iter()
            .filter_map(|name| name.strip_prefix("media ")?.parse::<usize>().ok())
            .sum();
        sent += bytes as u64 / 8;
        assert!(sent <= heard_ms + 5_000, "{} ms ahead", sent - heard_ms);
        talk.wait(13);
        heard_ms += 13;
    }
    assert_eq!(sent, 30_000, "all of it in the end");
    assert!((4_900..=5_000).contains(&talk.bridge.tally().ahead_ms_max));
}

/// Taken out: the condition of `listens_to_model`.
#[test]
fn a_model_that_is_far_ahead_is_not_listened_to() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    for _ in 0..64 {
        talk.audio("r1", 8_000);
    }
    assert!(talk.bridge.listens_to_model());
    talk.audio("r1", 8_000);
    assert!(!talk.bridge.listens_to_model(), "a minute waits beside the five seconds that were sent");
    talk.wait(2_000);
    assert!(talk.bridge.listens_to_model());
}

/// Taken out: `cut` in `silence`, and `muted` in `said`.
#[test]
fn whoever_is_interrupted_is_cut_and_the_model_learns_where() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    talk.audio("r1", 80_000);
    talk.drain();
    talk.wait(1_200);
    talk.drain();
    talk.model(json!({ "type": "input_audio_buffer.speech_started" }));
    assert_eq!(names(&talk.platform_heard()), ["callee_began", "stop"], "the scenario clears, then a stream ends");
    assert_eq!(talk.model_heard(), [words::truncate("item of r1", 1_200)]);
    // What was on its way when it was cancelled.
    talk.audio("r1", 8_000);
    talk.model(json!({ "type": "response.output_audio.done", "response_id": "r1" }));
    talk.done("r1", "cancelled");
    talk.wait(10_000);
    assert!(talk.platform_heard().is_empty(), "nothing of it is said any more");
    talk.whole("r2", 160);
    assert_eq!(names(&talk.platform_heard()), ["response", "start", "media 160"]);
    assert_eq!(talk.bridge.tally().interruptions, 1);
}

#[test]
fn speech_into_silence_cuts_nothing() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.whole("r1", 800);
    talk.wait(5_000);
    talk.drain();
    talk.model(json!({ "type": "input_audio_buffer.speech_started" }));
    assert_eq!(names(&talk.platform_heard()), ["callee_began"]);
    assert!(talk.model_heard().is_empty());
    assert_eq!(talk.bridge.tally().interruptions, 0);
}

fn end_call(call: &str) -> Value {
    json!({ "type": "response.function_call_arguments.done", "call_id": call, "name": "end_call",
        "arguments": "{\"goal\":true,\"answers\":{}}" })
}

/// Taken out: the look at `quiet` before `end`, and `!self.ending` before an interruption.
#[test]
fn the_goodbye_is_heard_before_the_end() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    talk.audio("r1", 8_000);
    talk.model(json!({ "type": "response.output_audio.done", "response_id": "r1" }));
    talk.model(end_call("c1"));
    talk.model(end_call("c1"));
    talk.done("r1", "completed");
    let told = names(&talk.platform_heard());
    assert_eq!(told.iter().filter(|name| *name == "verdict").count(), 1, "a call is heard once");
    assert!(!told.contains(&"end".to_owned()));
    assert_eq!(names(&talk.model_heard()), ["conversation.item.create"], "it spoke: nothing more is asked for");
    talk.wait(500);
    talk.model(json!({ "type": "input_audio_buffer.speech_started" }));
    assert_eq!(names(&talk.platform_heard()), ["callee_began"], "a goodbye is not interrupted");
    talk.wait(500);
    assert_eq!(names(&talk.platform_heard()), ["stop", "end"]);
    talk.wait(5_000);
    assert!(talk.platform_heard().is_empty(), "once");
}

#[test]
fn a_model_that_ends_without_a_word_is_asked_for_one() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.whole("r0", 160);
    talk.wait(1_000);
    talk.drain();
    talk.response("r1");
    talk.model(end_call("c1"));
    talk.done("r1", "completed");
    assert_eq!(names(&talk.model_heard()), ["conversation.item.create", "response.create"]);
    assert!(!names(&talk.platform_heard()).contains(&"end".to_owned()), "the goodbye is still to come");
    talk.whole("r2", 160);
    talk.wait(20);
    assert_eq!(names(&talk.platform_heard()), ["response", "start", "media 160", "stop", "end"]);
}

/// Taken out: the look at `declared` in `tool`.
#[test]
fn nothing_but_the_declared_tool_can_be_called() {
    let mut talk = Talk::new(Plan { tools: json!([]), ..plan(Encoding::Ulaw) });
    talk.model(json!({ "type": "session.created" }));
    talk.model(json!({ "type": "session.updated" }));
    talk.drain();
    for name in ["end_call", "transfer_money"] {
        let call = json!({ "type": "response.function_call_arguments.done", "call_id": name, "name": name, "arguments": "{}" });
        talk.model(call);
        assert!(talk.platform_heard().is_empty(), "{name}");
        let told = talk.model_heard();
        assert_eq!(told[0]["item"]["output"], "{\"error\":\"there is no such tool\"}");
    }
    let kept: Vec<_> = talk.bridge.tools().iter().map(|it| (&*it.name, &*it.arguments, it.result)).collect();
    assert_eq!(kept, [("end_call", "{}", "refused"), ("transfer_money", "{}", "refused")]);
}

#[test]
fn the_callees_audio_reaches_the_model_in_its_own_form() {
    for (platform, model, sent) in
        [("ULAW", Encoding::Ulaw, 160), ("PCM16", Encoding::Pcm16, 640), ("ALAW", Encoding::Pcm16, 160)]
    {
        let mut talk = Talk::begun(model);
        let rate = if platform == "PCM16" { 16_000 } else { 8_000 };
        talk.platform(
            json!({ "event": "start", "start": { "mediaFormat": { "encoding": platform, "sampleRate": rate } } }),
        );
        for chunk in 0..50 {
            let payload = STANDARD.encode(vec![0x55_u8; sent]);
            talk.platform(json!({ "event": "media", "media": { "chunk": chunk, "payload": payload } }));
        }
        let told = talk.model_heard();
        let bytes: usize =
            told.iter().map(|it| STANDARD.decode(it["audio"].as_str().expect("audio")).expect("base64").len()).sum();
        let ms = model.of_model().ms_of_bytes(bytes);
        assert!((990..=1_000).contains(&ms), "{platform} to {model:?}: {ms} ms");
        assert_eq!(talk.bridge.tally().heard_ms, 1_000);
    }
}

/// Taken out: the silence in place of what was lost.
#[test]
fn lost_packets_are_counted_and_late_ones_left_out() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.platform(json!({ "event": "start", "start": { "mediaFormat": { "encoding": "ULAW", "sampleRate": 8000 } } }));
    for chunk in [10, 11, 14, 12, 15] {
        let payload = STANDARD.encode([0x11_u8; 160]);
        talk.platform(json!({ "event": "media", "media": { "chunk": chunk, "payload": payload } }));
    }
    let told = talk.model_heard();
    let lengths: Vec<usize> =
        told.iter().map(|it| STANDARD.decode(it["audio"].as_str().expect("audio")).expect("base64").len()).collect();
    assert_eq!(lengths, [160, 160, 320, 160, 160], "two that are missing are silence");
    let tally = talk.bridge.tally();
    assert_eq!((tally.lost, tally.late, tally.heard_ms), (2, 1, 80));
}

#[test]
fn requests_wait_while_a_response_is_being_made() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    talk.model(
        json!({ "type": "response.function_call_arguments.done", "call_id": "x", "name": "other", "arguments": "" }),
    );
    assert_eq!(names(&talk.model_heard()), ["conversation.item.create"]);
    talk.done("r1", "completed");
    assert_eq!(names(&talk.model_heard()), ["response.create"]);
}

#[test]
fn each_end_is_told_apart() {
    let ends = [
        (End::ModelRefused("HTTP 401".into()), "model_refused: HTTP 401"),
        (End::ModelClosed("1011 internal error".into()), "model_closed: 1011 internal error"),
        (End::ModelLost, "model_lost"),
        (End::Stopping, "stopping"),
    ];
    for (end, reason) in ends {
        let mut talk = Talk::begun(Encoding::Ulaw);
        talk.bridge.finish(end.clone(), talk.now);
        let told = talk.platform_heard();
        assert_eq!((&told[0]["customEvent"], &told[0]["reason"]), (&json!("fault"), &json!(reason)));
        assert!(!talk.bridge.over(talk.now), "the scenario says goodbye first");
        talk.bridge.finish(End::Call, talk.now + 900);
        assert!(talk.bridge.over(talk.now + 900));
        assert_eq!(talk.bridge.end(), Some(&end), "the first reason stands");
    }
    for end in [End::Call, End::CallLost] {
        let mut talk = Talk::begun(Encoding::Ulaw);
        talk.bridge.finish(end.clone(), 5);
        assert!(talk.platform_heard().is_empty() && talk.bridge.over(5), "nobody is there to be told");
        assert_eq!(talk.bridge.end(), Some(&end));
    }
}

#[test]
fn responses_that_fail_are_asked_for_once_more() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    talk.done("r1", "failed");
    assert_eq!(names(&talk.model_heard()), ["response.create"]);
    talk.response("r2");
    talk.done("r2", "failed");
    assert_eq!(talk.bridge.end().map(End::as_str), Some("model_failed"));
    assert_eq!(talk.bridge.tally().tokens.audio_in, 20, "they cost all the same");
}

#[test]
fn a_session_that_is_refused_is_the_models_fault() {
    let mut talk = Talk::new(plan(Encoding::Ulaw));
    talk.model(json!({ "type": "session.created" }));
    talk.model(json!({ "type": "error", "error": { "type": "invalid_request_error", "code": "invalid_value" } }));
    let expected = End::ModelFailed("the session was refused: invalid_value".into());
    assert_eq!(talk.bridge.end(), Some(&expected));
}

#[test]
fn nonsense_and_silence_end_it() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.bridge.platform_said("{", 0);
    assert_eq!(talk.bridge.end().map(End::as_str), Some("call_nonsense"));
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.bridge.model_said("{", 0);
    assert_eq!(talk.bridge.end().map(End::as_str), Some("model_failed"));
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.wait(IDLE_MS - 1);
    assert_eq!(talk.bridge.end(), None);
    assert_eq!(talk.bridge.wakes_at(talk.now), IDLE_MS);
    talk.wait(1);
    assert_eq!(talk.bridge.end(), Some(&End::Idle));
}

#[test]
fn a_platform_that_takes_nothing_is_gone() {
    let mut talk = Talk::begun(Encoding::Ulaw);
    talk.response("r1");
    for _ in 0..30 {
        talk.audio("r1", 80_000);
        talk.wait(10_000);
    }
    assert_eq!(talk.bridge.end(), Some(&End::CallLost));
}
