//! Runs, attempts, single calls.

use super::campaigns::keyed;
use super::paper::Paper;
use super::shapes::*;
use super::values::{bytes, one_of, text, whole};
use crate::domain::Outcome;
use serde_json::json;

pub(super) fn describe(paper: &mut Paper) {
    paper.topic("Runs", "A run is one execution of a campaign, started by hand or by its schedule.");
    paper
        .get("/api/v1/campaigns/{campaign}/runs", "listRuns", "Runs of a campaign, the newest first")
        .page(1000)
        .answers_many::<Run>("A page of them.")
        .links();
    let start = paper
        .post("/api/v1/campaigns/{campaign}/runs", "startRun", "Starts a run")
        .says("Everybody, or `only` those who came to rest so in an earlier run. This dials.")
        .takes::<StartOrder>(false, json!({ "by": "anna", "hold_after": 100 }))
        .answers::<Started>(201, "It is started, or waits for its first moment.")
        .refuses(&[409, 422]);
    keyed(start);
    paper
        .get("/api/v1/runs/{run}", "showRun", "How a run stands")
        .answers::<Run>(200, "The run; `state` is `completed` at the end.");
    paper
        .get("/api/v1/runs/{run}/live", "showRunLive", "A run with its calls under way, the newest ends and who waits")
        .answers::<RunLive>(200, "All of it, at one moment.");
    paper
        .get("/api/v1/runs/{run}/events", "followRun", "The same each second, while the run is open")
        .events::<RunLive>("Events `run`, the first at once; ends with the run.");
    let outcomes: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    paper
        .get("/api/v1/runs/{run}/attempts", "newestAttempts", "Ended calls of a run, the newest first")
        .query("outcome", one_of(&outcomes), "Those alone that ended so.")
        .page(200)
        .answers::<TriedList>(200, "A page of them; 20 where no limit is named.")
        .links();
    let pause = paper
        .post("/api/v1/runs/{run}/pause", "pauseRun", "Nobody new is dialled; calls under way go on")
        .takes::<Word>(false, json!({ "by": "anna", "reason": "the trunk is down" }))
        .answers::<RunMoved>(200, "It is paused.")
        .refuses(&[409]);
    keyed(pause);
    let resume = paper
        .post("/api/v1/runs/{run}/resume", "resumeRun", "A paused run goes on")
        .takes::<ResumeOrder>(false, json!({ "by": "anna" }))
        .answers::<RunMoved>(200, "It goes on.")
        .refuses(&[409]);
    keyed(resume);
    let drain = paper
        .post("/api/v1/runs/{run}/drain", "drainRun", "Nobody new is called; who was called gets the remaining tries")
        .takes::<Word>(false, json!({ "by": "anna" }))
        .answers::<RunMoved>(200, "It drains.")
        .refuses(&[409]);
    keyed(drain);
    let stop = paper
        .post("/api/v1/runs/{run}/stop", "stopRun", "Ends a run: whoever waits is not called")
        .takes::<StopOrder>(false, json!({ "by": "anna", "reason": "wrong list", "hang_up": false }))
        .answers::<RunMoved>(200, "It is stopped.")
        .refuses(&[409]);
    keyed(stop);
    attempts(paper);
    judged(paper);
    single(paper);
}

fn judged(paper: &mut Paper) {
    paper.topic("Judging", "The goal read out of what was said, blind to the mode; docs/REPORTS.md tells more.");
    let judge = paper
        .post("/api/v1/runs/{run}/judge", "judgeRun", "Judges the next human calls of a run by their words")
        .says("A call that the same rubric has judged is not judged again; go on with `after` until it is null.")
        .takes::<JudgeOrder>(false, json!({ "by": "rules", "limit": 100 }))
        .answers::<RunJudged>(200, "What became of this piece.")
        .refuses(&[422]);
    keyed(judge);
    paper
        .get("/api/v1/runs/{run}/labels/sample", "sampleToLabel", "Calls for a person to read, without their mode")
        .says("As many of each mode as there are, drawn by a seed: the same seed draws the same calls.")
        .query("n", whole(), "1 to 500; 30 when absent.")
        .query("seed", whole(), "The campaign's own when absent.")
        .answers::<LabelSample>(200, "Their words, and what makes a success.");
    paper
        .put("/api/v1/attempts/{attempt}/label", "labelAttempt", "What a person found in a call's words")
        .takes::<Label>(true, json!({ "goal": true }))
        .answers::<Labelled>(200, "It is kept, in the place of an earlier one.");
}

fn attempts(paper: &mut Paper) {
    paper.topic("Attempts", "An attempt is one try at one contact: its call, if there was one.");
    paper
        .get("/api/v1/campaigns/{campaign}/attempts", "listAttempts", "Attempts of a campaign, the oldest first")
        .page(1000)
        .answers::<Attempts>(200, "A page of them.")
        .links();
    paper
        .get("/api/v1/attempts/{attempt}", "showAttempt", "One attempt with everything that happened to it")
        .answers::<Attempt>(200, "The attempt.");
    paper
        .get("/api/v1/attempts/{attempt}/events", "followAttempt", "What happens to an attempt, as it happens")
        .events::<Happened>("Events `happened`, those of the past first; ends with the attempt.");
    paper
        .get("/api/v1/attempts/{attempt}/told", "toldAttempt", "What its session was told to say")
        .answers::<ToldAttempt>(200, "Put together again from what is kept.");
    let hang_up = paper
        .post("/api/v1/attempts/{attempt}/hangup", "hangUp", "A word to its session to hang up")
        .answers::<AttemptHungUp>(202, "The word was passed on; the events say what became of it.")
        .refuses(&[409]);
    keyed(hang_up);
    let audio = ["audio/mpeg", "audio/wav", "audio/flac", "audio/ogg", "application/octet-stream"];
    paper
        .get("/api/v1/attempts/{attempt}/recording", "recording", "The way to a call's audio")
        .says("A link that opens without a key, for five minutes. Whoever accepts JSON is told it, others are sent there.")
        .query("n", whole(), "Which of several, from 1.")
        .header("Accept", text(), "With `json` in it the link is told in the body.")
        .answers::<RecordingLink>(200, "The link.")
        .done(303, "The audio is at `Location`.")
        .tells(303, "Location", "The link.")
        .refuses(&[409]);
    let mut played = paper
        .get("/signed/recordings/{attempt}", "playRecording", "The call's audio, passed on from the provider")
        .says("What stands in the address opens it, as `recording` told it.")
        .open()
        .needs_query("n", whole(), "Which of several, from 1.")
        .needs_query("until", whole(), "When the link ends: milliseconds since 1970.")
        .needs_query("by", text(), "The signature.")
        .header("Range", text(), "One range, as in `bytes=0-1023`.")
        .refuses(&[409, 416, 502]);
    for status in [200, 206] {
        played = played.sends_any(status, &audio, bytes(), "The audio, or a part of it.");
    }
    let mut log = paper
        .get("/api/v1/attempts/{attempt}/log", "sessionLog", "The session's log, passed on from the provider")
        .header("Range", text(), "One range, as in `bytes=0-1023`.")
        .refuses(&[409, 416, 502]);
    for status in [200, 206] {
        log = log.sends(status, "text/plain", text(), "The log, or a part of it.");
    }
}

fn single(paper: &mut Paper) {
    paper.topic(
        "A single call",
        "One call now: what a gate would hold back is refused, with the time at which it opens.",
    );
    let call = paper
        .post("/demo/session", "placeCall", "Calls one number now")
        .takes::<CallOrder>(true, json!({ "phone": "+79991234567", "mode": "realtime", "prompt": "Say hello." }))
        .answers::<Placed>(201, "It is planned; follow `links.events`.")
        .tells(201, "Location", "The attempt.")
        .refuses(&[409, 422]);
    keyed(call);
}
