//! What the prelude asks of the world, by name.

use serde_json::{Value, json};

use crate::simulator::clock::{MS, Micros};
use crate::simulator::session::media::Kind;
use crate::simulator::session::record::Resource;
use crate::simulator::session::speech::{Amd, Asr, Turns, Vad};
use crate::simulator::session::world::{Handle, World};

/// Runs one operation; the answer is JSON, empty for `undefined`, the error is the exception's text.
pub fn op(world: &mut World, name: &str, arguments: &str) -> Result<String, String> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|_| format!("{name}: unreadable arguments"))?;
    let answer = run(world, name, &Arguments(&arguments))?;
    Ok(if answer.is_null() { String::new() } else { answer.to_string() })
}

struct Arguments<'a>(&'a Value);

impl Arguments<'_> {
    fn handle(&self, place: usize) -> Handle {
        self.0[place].as_u64().and_then(|handle| Handle::try_from(handle).ok()).unwrap_or(Handle::MAX)
    }
    fn text(&self, place: usize) -> &str {
        self.0[place].as_str().unwrap_or_default()
    }
    fn flag(&self, place: usize) -> bool {
        self.0[place].as_bool().unwrap_or(false)
    }
    fn ms(&self, place: usize) -> Micros {
        (self.0[place].as_f64().unwrap_or(0.0).clamp(0.0, 1e9) * MS as f64) as Micros
    }
}

fn run(world: &mut World, name: &str, at: &Arguments<'_>) -> Result<Value, String> {
    let first = at.handle(0);
    match name {
        "call" => {
            let amd = at.0[2].as_u64().and_then(|handle| Handle::try_from(handle).ok());
            let call = world.dial(at.text(0), at.text(1), amd, at.flag(3))?;
            if let Some(amd) = amd {
                world.detect_machine(amd, call, None);
            }
            return Ok(json!(call));
        }
        "hangup" => world.hang_up(first),
        "answer" => world.answer(first),
        "record" => return Ok(world.record_call(first)),
        "say" => say(world, first, Some(at.text(1).to_owned()))?,
        "play" => say(world, first, None)?,
        "stopPlayback" => {
            let playing = world.edges.iter().filter(|edge| edge.to == first).map(|edge| edge.from).next();
            if let Some(player) = playing
                && matches!(&world.units[player as usize].kind, Kind::Player(it) if it.of_call == Some(first))
            {
                world.stop_player(player);
            }
        }
        "player" => {
            let text = at.0[0].as_str().map(str::to_owned);
            return world.create_player(text, None, at.flag(1)).map(|player| json!(player));
        }
        "playerStop" => world.stop_player(first),
        "playerResume" => world.resume_player(first),
        "attach" => world.attach(first, at.handle(1), &at.0[2])?,
        "detach" => world.detach(first, at.handle(1)),
        "asr" => {
            world.record.used(Resource::Recognition, 1.0);
            let asr = Asr { interim: at.flag(0), single: at.flag(1), ..Asr::default() };
            return world.add_unit(Kind::Asr(asr)).map(|asr| json!(asr));
        }
        "asrStop" => world.stop_asr(first),
        "vad" => {
            let vad = world.add_unit(Kind::Vad(Vad { min_silence: at.ms(1), ..Vad::default() }))?;
            world.settle_after(80 * MS, at.handle(0), true, json!(vad));
        }
        "turns" => {
            let turns = world.add_unit(Kind::Turns(Turns::default()))?;
            world.settle_after(80 * MS, at.handle(0), true, json!(turns));
        }
        "predict" => {
            let spoken = matches!(world.unit(first).map(|unit| &unit.kind), Some(Kind::Turns(it)) if !it.speaking);
            let told = json!({ "endOfTurn": spoken, "probability": if spoken { 0.93 } else { 0.08 } });
            world.deliver_after(30 * MS, first, "Pipecat.Turn.Result", told);
        }
        "socket" => return world.open_socket(at.text(0), &at.0[1]).map(|socket| json!(socket)),
        "socketSend" => world.socket_says(first, at.text(1).to_owned())?,
        "socketClose" => world.socket_closes(first),
        "socketClear" => world.socket_clears(first),
        "allowSockets" => world.allows_sockets = true,
        "recorder" => {
            let recorder = world.add_unit(Kind::Sink)?;
            let url =
                format!("{}/simulator/records/{}-{recorder}.wav", world.platform.origin(), world.record.session_id);
            world.deliver_after(15 * MS, recorder, "Recorder.Started", json!({ "url": url }));
            return Ok(json!(recorder));
        }
        "recorderStop" => {
            world.deliver_after(15 * MS, first, "Recorder.Stopped", json!({ "cost": 0.0, "duration": 0 }))
        }
        "note" => world.record.note(world.now, at.text(0)),
        "vadClose" => {
            if let Some(Kind::Vad(vad)) = world.unit(first).map(|unit| &mut unit.kind) {
                vad.closed = true;
            }
        }
        "amd" => {
            let amd = Amd { timeout: at.ms(0), ..Amd::default() };
            return world.add_unit(Kind::Amd(amd)).map(|amd| json!(amd));
        }
        "amdDetect" => world.detect_machine(first, at.handle(1), Some(at.handle(2))),
        "model" => {
            world.connect_model(first)?;
        }
        "modelUpdate" => world.model_update(first, &at.0[1]),
        "modelItem" => world.model_item(first, &at.0[1]),
        "modelCreate" => world.model_create(first, &at.0[1]),
        "modelCancel" => world.model_cancel(first, "client_cancelled"),
        "modelClear" => world.model_clear(first),
        "modelClose" => world.model_close(first),
        "sink" => return world.add_unit(Kind::Sink).map(|sink| json!(sink)),
        "terminate" => world.terminate(),
        "storagePut" => {
            let ttl_s = at.0.get(2).and_then(Value::as_u64);
            world.platform.store_item(world.record.application_id, at.text(0), at.text(1), ttl_s);
        }
        "storageRemove" => world.platform.remove_item(world.record.application_id, at.text(0)),
        "storageGet" => {
            return Ok(json!(world.platform.item(world.record.application_id, at.text(0))));
        }
        "callList" => return Ok(json!(world.platform.report_task(world.record.session_id, at.text(0), &at.0[1]))),
        _ => return Err(format!("{name} is not simulated")),
    }
    Ok(Value::Null)
}

/// `say` and `startPlayback`: a player of the call's own; what the call received before is cut.
fn say(world: &mut World, call: Handle, text: Option<String>) -> Result<(), String> {
    let player = world.create_player(text, Some(call), false)?;
    world.attach(player, call, &Value::Null)
}
