/// <reference path="./wire.js" />
/// <reference path="./ruler.js" />
// What every scenario shares: leave to dial, the call with its caps, the reports, a polite end.
// A scenario gives `halo.run` a talker, which only talks. Without a grant nothing is dialled; an
// incoming call is answered, told who called, and never called back.

/**
 * @typedef {object} Grant
 * @property {string} call_id
 * @property {number} granted_ms_ago
 * @property {string} to
 * @property {string} caller_id
 * @property {string} mode
 * @property {string} event_url
 * @property {string} event_token
 * @property {string | null} dialog_url
 * @property {string} language
 * @property {string | null} voice
 * @property {string} first_phrase
 * @property {string} instructions
 * @property {{name?: string}[]} tools
 * @property {string | null} model
 * @property {string | null} openai_base_url
 * @property {{threshold?: number, min_silence_ms?: number} | null} vad
 * @property {object | null} [turn_detection]
 * @property {'off' | 'mark' | 'hang_up' | 'message'} amd
 * @property {boolean} record
 * @property {string} route
 * @property {number} ring_s
 * @property {number} call_s
 *
 * @typedef {'replier' | 'speech' | 'model' | 'scenario'} Fault What of ours broke after the answer.
 * @typedef {'callee' | 'agent' | 'limit' | 'fault'} By Who hung up.
 *
 * @typedef {object} Reply
 * @property {string} [reply_text]
 * @property {boolean} [end_session]
 * @property {boolean | null} [goal]
 * @property {object | null} [answers]
 * @property {string | null} [callback_at]
 * @property {boolean} [opt_out]
 *
 * @typedef {ReturnType<typeof ruler.create>} Ruler
 *
 * What a talker may do with its call.
 * @typedef {object} Session
 * @property {Grant} grant
 * @property {Call} call
 * @property {Ruler} ruler
 * @property {string} greeting What is said at once, recording notice included; empty if there is none.
 * @property {boolean} over The call has ended or is being ended: say nothing more.
 * @property {boolean} leaving The last phrase is being spoken: it is not interrupted.
 * @property {(text: string) => Promise<'finished' | 'stopped' | 'failed'>} speak
 * @property {() => void} stopSpeaking
 * @property {(unit: VoxUnit) => void} listen Gives the callee's audio to a unit once the greeting sounds.
 * @property {(question: object) => Promise<Reply | null>} ask Asks `dialog_url`.
 * @property {(reply: Reply) => void} note Keeps the verdict of a reply or a tool.
 * @property {(by: By) => void} hangUp
 * @property {(fault: Fault, error?: unknown) => void} fail
 * @property {(run: () => void, ms: number) => void} after
 *
 * @typedef {object} Talker
 * @property {Fault} fault What is to blame when no reply comes.
 * @property {() => string | null} [unready] Why no call can be made, if so; asked before the grant.
 * @property {(s: Session) => void | Promise<void>} [dialled] It rings: prepare.
 * @property {(s: Session) => void | Promise<void>} connected
 * @property {(s: Session) => void} [calleeStarted] The callee speaks, perhaps over the agent.
 * @property {() => void} [close]
 */
const halo = (() => {
  const GRANT_TRIES = 3;
  const GRANT_TRY_MS = 8000;
  /** A grant older than this is given back: the line it holds was counted from its first second. */
  const GRANT_AGE_MAX_MS = 10000;
  const GRANT_PAUSE_MS = 1000;
  /** The one request that a session being taken down has left. */
  const LAST_POST_S = 10;
  /** Events waiting at the end get this long; the last one carries everything but opt-outs anyway. */
  const DRAIN_MS = 20000;
  const ASK_S = 8;
  const AMD_MS = 5000;
  const AMD_WATCH_MS = 2000;
  /** An answered call in which the agent is not heard for this long has lost its purpose. */
  const NO_AUDIO_MS = 12000;
  const NO_REPLY_MS = 15000;
  const SILENCE_MS = 14000;
  const WATCH_MS = 1000;
  const SPEECH_START_MS = 8000;
  const EARS_MS = 200;
  const PHRASE_MAX = 1500;
  const GOODBYE_MS = 8000;
  const HANGUP_MS = 5000;
  const DEFAULT_VAD = { threshold: 0.5, min_silence_ms: 300 };

  const { PHRASES, phrases, log, sleep, voice, recogniser, post, stored, final, deliver, json } = wire;

  /**
   * Asks for leave to dial. An answer to an earlier try is ignored: it may speak of a moment long past.
   * @param {{a: string, t: string, u: string}} data @param {string} session
   * @returns {Promise<{grant: Grant, age: number} | {refused: number} | null>}
   */
  const askGrant = async (data, session) => {
    for (let nth = 1; nth <= GRANT_TRIES; nth += 1) {
      const sent = Date.now();
      const tried = post(`${data.u}/voximplant/grant`, null, { a: data.a, t: data.t, session_id: session }, GRANT_TRY_MS / 1000);
      const result = await Promise.race([tried, sleep(GRANT_TRY_MS).then(() => null)]);
      if (result && stored(result)) {
        const grant = json(result);
        if (grant && typeof grant.to === 'string' && typeof grant.event_url === 'string') {
          return { grant, age: Number(grant.granted_ms_ago || 0) + (Date.now() - sent) };
        }
      } else if (result && final(result)) {
        return { refused: result.code };
      }
      log(`no grant at try ${nth} (${result ? result.code : 'timeout'})`);
      if (nth < GRANT_TRIES && Date.now() - sent < GRANT_PAUSE_MS) await sleep(GRANT_PAUSE_MS * nth);
    }
    return null;
  };

  /** @param {Talker} talker @param {{a: string, t: string, u: string}} data @param {string} session @param {number} started */
  const outbound = async (talker, data, session, started) => {
    const now = () => Date.now() - started;
    const unready = talker.unready ? talker.unready() : null;
    if (unready !== null) {
      log(`no call is possible: ${unready}`);
      VoxEngine.terminate();
      return;
    }
    const asked = await askGrant(data, session);
    if (asked && 'refused' in asked) {
      log(`grant refused (${asked.refused}): nothing is dialled`);
      VoxEngine.terminate();
      return;
    }
    const grant = asked ? asked.grant : null;
    let seq = 0;
    const head = (/** @type {string} */ event) => ({ call_id: data.a, event, seq: (seq += 1), at_ms: now(), session_id: session });
    if (!asked || !grant || asked.age > GRANT_AGE_MAX_MS) {
      const reason = grant ? 'the grant came too late' : 'no answer to the request for a grant';
      const url = grant ? grant.event_url : `${data.u}/voximplant/events`;
      await deliver(url, grant && grant.event_token ? grant.event_token : data.t, { ...head('NotDialled'), reason }, () => true);
      VoxEngine.terminate();
      return;
    }
    place(talker, grant, now, head);
  };

  /** Dials, and sees the call through to its last event. @param {Talker} talker @param {Grant} grant @param {() => number} now @param {(event: string) => object} head */
  const place = (talker, grant, now, head) => {
    const said = phrases(grant.language);
    const times = { dialled: now(), ringing: /** @type {number | null} */ (null), answered: /** @type {number | null} */ (null) };
    const verdict = {
      goal: /** @type {boolean | null} */ (null), answers: /** @type {object} */ ({}),
      callback_at: /** @type {string | null} */ (null), optedOut: false, machine: false,
    };
    const held = { hungUpBy: /** @type {By | null} */ (null), fault: /** @type {Fault | null} */ (null), ringTimer: false, finished: false, ears: false };
    /** @type {Set<number>} */
    const timers = new Set();
    /** @type {VoxUnit[]} */
    const ears = [];
    /** @type {(() => void) | null} */
    let stopPlayer = null;
    /** @type {Promise<unknown>} */
    let reports = Promise.resolve();

    /** @param {(event: any) => unknown} run @returns {(event?: any) => void} */
    const guard = (run) => (event) => {
      try {
        const told = run(event || {});
        if (told instanceof Promise) told.catch((error) => fail('scenario', error));
      } catch (error) {
        fail('scenario', error);
      }
    };
    const after = (/** @type {() => void} */ run, /** @type {number} */ ms) => {
      const timer = setTimeout(() => { timers.delete(timer); guard(run)(null); }, ms);
      timers.add(timer);
      return timer;
    };
    // One request at a time for reports, so that questions and the last event find a free place.
    const report = (/** @type {string} */ event, /** @type {object} */ fields) => {
      const body = { ...head(event), ...fields };
      reports = reports.then(() => deliver(grant.event_url, grant.event_token, body, () => !held.finished || event === 'OptOut'));
    };

    const detectors = { ...DEFAULT_VAD, ...grant.vad };
    const measure = ruler.create({
      now, log, threshold: detectors.threshold, silence: detectors.min_silence_ms,
      turnOver: (turn) => { if (!held.finished) report('Turn', { turn }); },
      calleeStarted: () => { if (talker.calleeStarted && !s.over && !s.leaving && held.ears) guard(() => talker.calleeStarted && talker.calleeStarted(s))(null); },
      changed: () => openEars(),
    });
    // The callee is heard once the greeting sounds and the first "hello?" is over, in every mode alike.
    const openEars = () => {
      if (held.ears || times.answered === null || held.finished) return;
      // Whoever talks through the whole greeting is heard when it is over.
      const first = measure.firstAudio();
      const ready = first !== null && (!measure.calleeSpeaking() || measure.agentHasSpoken());
      if (!ready) return;
      // A detector tells of a "hello?" that has just begun a little later than a vendor of the greeting.
      const settles = first + EARS_MS - now();
      if (settles > 0) {
        after(openEars, settles);
        return;
      }
      held.ears = true;
      measure.listen();
      ears.forEach((unit) => call.sendMediaTo(unit));
    };

    const finish = async (/** @type {string} */ event, /** @type {object} */ fields) => {
      if (held.finished) return;
      held.finished = true;
      s.over = true;
      timers.forEach((timer) => clearTimeout(timer));
      clearInterval(watch);
      if (talker.close) guard(talker.close)(null);
      const waiting = reports;
      await deliver(grant.event_url, grant.event_token, lastEvent(event, fields), () => true);
      await Promise.race([waiting, sleep(DRAIN_MS)]);
      VoxEngine.terminate();
    };
    const lastEvent = (/** @type {string} */ event, /** @type {object} */ fields) => {
      const ended = now();
      const base = { ...head(event), ...fields, dialled_at_ms: times.dialled, ringing_at_ms: times.ringing, ended_at_ms: ended };
      if (event === 'Failed') return { ...base, ring_timer: held.ringTimer };
      const answered = times.answered === null ? ended : times.answered;
      const first = measure.firstAudio();
      return {
        ...base, hung_up_by: held.hungUpBy || 'callee', goal: verdict.goal, answers: verdict.answers, callback_at: verdict.callback_at,
        fault: held.fault, machine: verdict.machine, answered_at_ms: answered,
        first_audio_ms: first === null ? null : Math.max(0, first - answered), first_audio_method: measure.firstMethod(),
        talk_ms: ended - answered, turns: wire.fitted(measure.all()),
      };
    };

    const hangUp = (/** @type {By} */ by) => {
      if (held.finished) return;
      held.hungUpBy = held.hungUpBy || by;
      s.over = true;
      call.hangup();
      // Should the platform not say that the call ended, it is said here.
      after(() => { finish(times.answered === null ? 'Failed' : 'Disconnected', { code: 0, reason: 'no event after hanging up', cost: null }); }, HANGUP_MS);
    };
    /** Says a last phrase of ours, whatever the talker was doing, and hangs up. */
    const leave = (/** @type {By} */ by, /** @type {string} */ phrase) => {
      if (s.over || s.leaving) return;
      s.leaving = true;
      held.hungUpBy = by;
      measure.seal();
      if (talker.close) talker.close();
      after(() => hangUp(by), GOODBYE_MS);
      speak(phrase).then(() => hangUp(by));
    };
    const fail = (/** @type {Fault} */ fault, /** @type {unknown} */ error) => {
      log(`fault: ${fault}${error ? `: ${error}` : ''}`);
      if (held.finished || s.over) return;
      held.fault = held.fault || fault;
      if (times.answered === null || fault === 'speech' || s.leaving) hangUp('fault');
      else leave('fault', said.fault);
    };

    const stopSpeaking = () => { if (stopPlayer) stopPlayer(); };
    /** @param {string} text @returns {Promise<'finished' | 'stopped' | 'failed'>} */
    const speak = (text) => new Promise((resolve) => {
      stopSpeaking();
      if (s.over || held.finished) { resolve('stopped'); return; }
      /** @type {Player | null} */
      let player = null;
      let done = false;
      const phrase = text.slice(0, PHRASE_MAX);
      const end = (/** @type {'finished' | 'stopped' | 'failed'} */ how) => {
        if (done) return;
        done = true;
        clearTimeout(late);
        stopPlayer = null;
        measure.vendorAgentEnded(0);
        resolve(how);
      };
      const late = after(() => end('failed'), SPEECH_START_MS);
      const begun = guard(() => { clearTimeout(late); if (!done) measure.vendorAgentBegan(); });
      const over = guard((event) => end(event.error ? 'failed' : 'finished'));
      const options = { voice: voice(grant.voice, grant.language), progressivePlayback: true };
      measure.synthesisBegins();
      try {
        player = VoxEngine.createTTSPlayer(phrase, options);
      } catch (error) {
        log(`no player, the call speaks: ${error}`);
      }
      if (player) {
        const unit = player;
        stopPlayer = () => { unit.stop(); end('stopped'); };
        unit.addEventListener(PlayerEvents.Started, begun);
        unit.addEventListener(PlayerEvents.PlaybackFinished, over);
        measure.hearAgent(unit);
        unit.sendMediaTo(call);
        return;
      }
      // `say` is heard by no detector: these turns are measured by the platform's own events.
      const quiet = () => { call.removeEventListener(CallEvents.PlaybackStarted, begun); call.removeEventListener(CallEvents.PlaybackFinished, said_); };
      const said_ = guard((event) => { quiet(); over(event); });
      stopPlayer = () => { quiet(); call.stopPlayback(); end('stopped'); };
      call.addEventListener(CallEvents.PlaybackStarted, begun);
      call.addEventListener(CallEvents.PlaybackFinished, said_);
      call.say(phrase, options);
    });

    /** @param {object} question @returns {Promise<Reply | null>} */
    const ask = async (question) => {
      for (let nth = 1; nth <= 2; nth += 1) {
        const sent = now();
        const result = await post(String(grant.dialog_url), grant.event_token, { call_id: grant.call_id, ...question }, ASK_S);
        const reply = stored(result) ? json(result) : null;
        if (reply) {
          measure.replyTook(now() - sent);
          return reply;
        }
        log(`no reply from dialog_url (${result.code}), try ${nth}`);
        if (final(result) || now() - sent > ASK_S * 500) break;
      }
      return null;
    };
    const note = (/** @type {Reply} */ reply) => {
      if (typeof reply.goal === 'boolean') verdict.goal = reply.goal;
      if (reply.answers && typeof reply.answers === 'object') verdict.answers = { ...verdict.answers, ...reply.answers };
      if (typeof reply.callback_at === 'string') verdict.callback_at = reply.callback_at;
      if (reply.opt_out && !verdict.optedOut) {
        verdict.optedOut = true;
        report('OptOut', { text: measure.lastText() });
      }
    };

    const heard = () => {
      const at = now();
      if (times.answered === null || s.over || s.leaving) return;
      if (measure.firstAudio() === null) {
        if (at - times.answered > NO_AUDIO_MS) fail(talker.fault === 'model' ? 'model' : 'speech', 'no agent audio');
        return;
      }
      const waiting = measure.waitingSince();
      if (waiting !== null && at - waiting > NO_REPLY_MS) fail(talker.fault, 'no reply');
      else if (at - measure.lastSound() > SILENCE_MS) leave('agent', said.bye);
    };
    const watch = setInterval(guard(heard), WATCH_MS);

    const detector = grant.amd && grant.amd !== 'off' ? machineDetector(grant) : null;
    const dial = () => (grant.route && grant.route !== 'pstn'
      ? VoxEngine.callSIP(grant.route, { callerid: grant.caller_id, ...(detector ? { amd: detector } : {}) })
      : VoxEngine.callPSTN(grant.to, grant.caller_id, detector ? { amd: detector } : {}));
    /** @type {Call} */
    let call;
    /** @type {Session} */
    const s = {
      grant, ruler: measure, over: false, leaving: false, speak, stopSpeaking, ask, note, hangUp, fail, after,
      greeting: [grant.record ? said.recorded : '', grant.first_phrase || ''].filter((part) => part !== '').join(' '),
      get call() { return call; },
      listen: (unit) => { ears.push(unit); if (held.ears) call.sendMediaTo(unit); },
    };
    try {
      call = dial();
    } catch (error) {
      finish('Failed', { code: 0, reason: `error: the call could not be placed: ${error}` });
      return;
    }

    const machine = (/** @type {any} */ event) => {
      clearTimeout(amdWatch);
      if (held.finished || !event.resultClass) return;
      verdict.machine = verdict.machine || event.resultClass === 'VOICEMAIL';
      report('Machine', { result: event.resultClass, subtype: event.resultSubtype || 'NONE', confidence: Math.round(event.confidence || 0) });
      if (event.resultClass !== 'VOICEMAIL' || s.over) return;
      if (grant.amd === 'hang_up') hangUp('agent');
      if (grant.amd === 'message' && s.greeting !== '') leave('agent', s.greeting);
    };
    let amdWatch = 0;
    if (detector) {
      detector.addEventListener(AMD.Events.DetectionComplete, guard(machine));
      detector.addEventListener(AMD.Events.DetectionError, guard(() => machine({ resultClass: 'TIMEOUT' })));
    }

    const rings = guard(() => {
      if (times.ringing !== null || times.answered !== null) return;
      times.ringing = now();
      report('Ringing', {});
    });
    call.addEventListener(CallEvents.Ringing, rings);
    call.addEventListener(CallEvents.Connected, guard(() => {
      if (times.answered !== null || s.over) return;
      times.answered = now();
      clearTimeout(ringCap);
      after(() => leave('limit', said.bye), Number(grant.call_s || 300) * 1000);
      report('Connected', {});
      if (grant.record) call.record({ stereo: true });
      // Whoever detects nothing in time is treated as a person.
      if (detector) amdWatch = after(() => machine({ resultClass: 'TIMEOUT' }), AMD_MS + AMD_WATCH_MS);
      measure.hearCallee(call);
      return talker.connected(s);
    }));
    call.addEventListener(CallEvents.Disconnected, guard((event) => finish('Disconnected', {
      code: event.internalCode || 0, reason: event.reason || '', cost: typeof event.cost === 'number' ? event.cost : null,
    })));
    call.addEventListener(CallEvents.Failed, guard((event) => finish('Failed', { code: event.code || 0, reason: event.reason || '' })));
    const ringCap = after(() => { held.ringTimer = true; hangUp('limit'); }, Number(grant.ring_s || 45) * 1000);

    VoxEngine.addEventListener(AppEvents.HttpRequest, (event) => {
      const command = json({ code: 200, text: event.content });
      if (!command || command.command !== 'hangup') return JSON.stringify({ ok: false });
      guard(() => hangUp('agent'))(null);
      return JSON.stringify({ ok: true });
    });
    // A session that is taken down has one request left.
    VoxEngine.addEventListener(AppEvents.Terminating, () => {
      if (held.finished) return;
      held.finished = true;
      const fields = { code: 0, reason: 'the session was terminated', cost: null };
      post(grant.event_url, grant.event_token, lastEvent(times.answered === null ? 'Failed' : 'Disconnected', fields), LAST_POST_S);
    });
    guard(() => Promise.all([measure.prepare(), talker.dialled ? talker.dialled(s) : null]))(null);
  };

  /** @param {Grant} grant */
  const machineDetector = (grant) => {
    try {
      const model = grant.language.toLowerCase().startsWith('ru') ? AMD.Model.RU : AMD.Model.US;
      return AMD.create({ model, timeout: AMD_MS });
    } catch (error) {
      log(`no machine detection: ${error}`);
      return null;
    }
  };

  /** Somebody rings back: says who called, takes an opt-out, reports both. @param {CallAlertingEvent} event @param {string} session */
  const inbound = (event, session) => {
    const call = event.call;
    const from = event.callerid || call.callerid();
    const said = from.replace('+', '').startsWith('7') ? PHRASES.ru : PHRASES.en;
    const options = { voice: voice(null, said === PHRASES.ru ? 'ru' : 'en') };
    const url = VoxEngine.getSecretValue('HALO_BACKEND_URL');
    const token = VoxEngine.getSecretValue('HALO_INBOUND_TOKEN');
    let over = false;
    const tell = (/** @type {string} */ what) => (url && token
      ? deliver(`${url}/voximplant/inbound`, token, { session_id: session, from, event: what }, () => true)
      : Promise.resolve(false));
    let told = tell('Rang');
    let optedOut = false;
    const end = async () => {
      if (over) return;
      over = true;
      await Promise.race([told, sleep(DRAIN_MS)]);
      VoxEngine.terminate();
    };
    call.addEventListener(CallEvents.Connected, () => { call.handleTones(true); call.say(said.inbound, options); });
    call.addEventListener(CallEvents.ToneReceived, (/** @type {any} */ tone) => {
      if (tone.tone !== '1' || optedOut) return;
      optedOut = true;
      told = Promise.all([told, tell('OptOut')]).then(() => true);
      call.say(said.optedOut, options);
    });
    let heard = 0;
    call.addEventListener(CallEvents.PlaybackFinished, () => {
      heard += 1;
      const nth = heard;
      setTimeout(() => { if (heard === nth && !over) call.hangup(); }, optedOut ? 500 : 6000);
    });
    call.addEventListener(CallEvents.Disconnected, end);
    call.addEventListener(CallEvents.Failed, end);
    setTimeout(() => { if (!over) { call.hangup(); end(); } }, 60000);
    call.answer();
  };

  /** @param {Talker} talker */
  const run = (talker) => {
    let session = '';
    let rung = false;
    VoxEngine.addEventListener(AppEvents.Started, (event) => {
      session = String(event.sessionId);
      const data = json({ code: 200, text: VoxEngine.customData() });
      if (data && typeof data.a === 'string' && typeof data.t === 'string' && typeof data.u === 'string') {
        outbound(talker, { ...data, u: data.u.replace(/\/+$/, '') }, session, Date.now());
        return;
      }
      // No order to dial: either somebody rings in at once, or there is nothing to do here.
      setTimeout(() => { if (!rung) VoxEngine.terminate(); }, GRANT_TRY_MS);
    });
    VoxEngine.addEventListener(AppEvents.CallAlerting, (event) => {
      rung = true;
      inbound(event, session);
    });
  };

  return Object.freeze({ run, recogniser, log });
})();
