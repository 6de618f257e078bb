/// <reference path="./tongue.js" />
/// <reference path="./wire.js" />
/// <reference path="./ruler.js" />
/// <reference path="./grant.js" />
/// <reference path="./mouth.js" />
/// <reference path="./inbound.js" />
// What every scenario shares: leave to dial, the call with its caps, the reports, a polite end.
// A scenario gives `halo.run` a talker, which only talks. Without a grant nothing is dialled; an
// incoming call is answered, told who called, and never called back.

/**
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
 * @property {boolean} [pending] It is a filler: asked again, the reply follows.
 * @property {string} [fault] Our side broke: the text is a polite end.
 *
 * @typedef {ReturnType<typeof ruler.create>} Ruler
 *
 * What a talker may do with its call.
 * @typedef {object} Session
 * @property {Grant} grant
 * @property {Call} call
 * @property {Ruler} ruler
 * @property {string} language What is spoken.
 * @property {string} greeting What is said at once, recording notice included; empty if there is none.
 * @property {boolean} over The call has ended or is being ended: say nothing more.
 * @property {boolean} leaving The last phrase is being spoken: it is not interrupted.
 * @property {(text: string) => Promise<Spoken>} speak
 * @property {() => void} stopSpeaking Ends the phrase that is being heard; one that has not begun is still said.
 * @property {(unit: VoxUnit, how?: object) => void} listen Gives the callee's audio to a unit once the greeting sounds.
 * @property {(question: object, filler?: (text: string) => void) => Promise<Reply | null>} ask Asks `dialog_url`.
 * @property {(reply: Reply) => void} note Keeps the verdict of a reply or a tool.
 * @property {(model: object) => void} spent What a realtime model used: the last event tells it.
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
  /** The one request that a session being taken down has left. */
  const LAST_POST_S = 10;
  /** Events waiting at the end get this long; the last one carries everything but opt-outs anyway. */
  const DRAIN_MS = 20000;
  const ASK_S = 8;
  const ASKS_MAX = 2;
  /** A reply that is late is asked for again so often. */
  const WAITS_MAX = 4;
  /** Answers that speak of one turn: the callee is asked to say it again, so often in a call. */
  const REFUSED = [400, 409, 413];
  const REFUSED_MAX = 2;
  const AMD_MS = 5000;
  const AMD_WATCH_MS = 2000;
  /** An answered call in which the agent is not heard for this long has lost its purpose. */
  const NO_AUDIO_MS = 12000;
  const NO_REPLY_MS = 15000;
  const SILENCE_MS = 14000;
  const WATCH_MS = 1000;
  const EARS_MS = 200;
  /** A goodbye under way when the call's time is up gets this much more. */
  const GOODBYE_MS = 15000;
  /** A message is left when the machine has been silent for so long, or has not been for so long. */
  const MESSAGE_PAUSE_MS = 1500;
  const MESSAGE_WAIT_MS = 20000;
  const MESSAGE_LOOK_MS = 250;
  /** Without an order to dial, somebody must ring in within this time. */
  const ORDER_MS = 8000;
  const HANGUP_MS = 5000;
  /** Words that are still being recognised when the callee has hung up. */
  const LAST_WORDS_MS = 2000;
  const LAST_WORDS_LOOK_MS = 50;
  const DEFAULT_VAD = { threshold: 0.5, min_silence_ms: 300 };

  const { log, sleep, post, stored, final, deliver, json } = wire;
  // By another name: to a type checker a file that calls `require` is a module of its own, not a part.
  const load = require;

  /**
   * What was ordered from outside while the session runs.
   * @typedef {{hungUp: boolean, hangUp: () => void}} Orders
   *
   * @param {Talker} talker @param {{a: string, t: string, u: string}} data @param {string} session @param {Orders} orders
   */
  const outbound = async (talker, data, session, orders) => {
    const started = Date.now();
    const now = () => Date.now() - started;
    const unready = talker.unready ? talker.unready() : null;
    if (unready !== null) {
      log(`no call is possible: ${unready}`);
      VoxEngine.terminate();
      return;
    }
    const asked = await leave.ask(data, session);
    if (asked && 'refused' in asked) {
      log(`grant refused (${asked.refused}): nothing is dialled`);
      VoxEngine.terminate();
      return;
    }
    const grant = asked ? asked.grant : null;
    let seq = 0;
    const head = (/** @type {string} */ event) => ({ call_id: data.a, event, seq: (seq += 1), at_ms: now(), session_id: session });
    const giveBack = async (/** @type {string} */ reason) => {
      log(`nothing is dialled: ${reason}`);
      const url = grant ? grant.event_url : `${data.u}/voximplant/events`;
      await deliver(url, grant && grant.event_token ? grant.event_token : data.t, { ...head('NotDialled'), reason }, () => true);
      VoxEngine.terminate();
    };
    if (!asked || !grant) {
      await giveBack('no answer to the request for a grant');
    } else if (!asked.fresh) {
      await giveBack('the grant came too late');
    } else if (orders.hungUp) {
      // A command came first: nobody is called, now or later.
      const at = now();
      const ended = { code: 487, reason: 'hung up by command', dialled_at_ms: at, ringing_at_ms: null, ended_at_ms: at, ring_timer: false };
      await deliver(grant.event_url, grant.event_token, { ...head('Failed'), ...ended }, () => true);
      VoxEngine.terminate();
    } else {
      try {
        place(talker, grant, now, head, orders);
      } catch (error) {
        // Nothing that follows the dialling throws out of `place`.
        await giveBack(`the call could not be prepared: ${error}`);
      }
    }
  };

  /** Dials, and sees the call through to its last event. @param {Talker} talker @param {Grant} grant @param {() => number} now @param {(event: string) => object} head @param {Orders} orders */
  const place = (talker, grant, now, head, orders) => {
    const language = tongue.spoken(grant);
    const said = tongue.phrases(language);
    const times = { dialled: now(), ringing: /** @type {number | null} */ (null), answered: /** @type {number | null} */ (null) };
    const verdict = {
      goal: /** @type {boolean | null} */ (null), answers: /** @type {object} */ ({}),
      callback_at: /** @type {string | null} */ (null), optedOut: false, machine: false,
    };
    const held = { hungUpBy: /** @type {By | null} */ (null), fault: /** @type {Fault | null} */ (null), ringTimer: false, finished: false, ears: false, mute: false, refused: 0, model: /** @type {object | null} */ (null) };
    /** @type {string | null} */
    let recordUrl = null;
    /** The last event, until it is stored. @type {object | null} */
    let unsaid = null;
    /** @type {Set<number>} */
    const timers = new Set();
    /** @type {[VoxUnit, object | undefined][]} */
    const ears = [];
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
      ears.forEach(([unit, how]) => call.sendMediaTo(unit, how));
    };

    const finish = async (/** @type {string} */ event, /** @type {object} */ fields) => {
      if (held.finished) return;
      held.finished = true;
      s.over = true;
      timers.forEach((timer) => clearTimeout(timer));
      clearInterval(watch);
      // All figures are those of this moment, whatever is heard of the call from now on.
      const last = lastEvent(event, fields);
      unsaid = last;
      measure.gone();
      // Who asks never to be called again and hangs up at once is understood a moment later.
      const theyWent = event === 'Disconnected' && held.hungUpBy === null;
      for (let waited = 0; theyWent && measure.unheard() && waited < LAST_WORDS_MS; waited += LAST_WORDS_LOOK_MS) {
        await sleep(LAST_WORDS_LOOK_MS);
      }
      if (talker.close) guard(talker.close)(null);
      const waiting = reports;
      Object.assign(last, lastWords());
      if (await deliver(grant.event_url, grant.event_token, last, () => true)) unsaid = null;
      await Promise.race([waiting, sleep(DRAIN_MS)]);
      VoxEngine.terminate();
    };
    /** What was understood of the callee after its last turn; the event has no such field when it was nothing. */
    const lastWords = () => (measure.lastWords() === '' ? {} : { last_words: measure.lastWords() });
    const lastEvent = (/** @type {string} */ event, /** @type {object} */ fields) => {
      const ended = now();
      const base = { ...head(event), ...fields, dialled_at_ms: times.dialled, ringing_at_ms: times.ringing, ended_at_ms: ended };
      if (event === 'Failed') return { ...base, ring_timer: held.ringTimer };
      const answered = times.answered === null ? ended : times.answered;
      const first = measure.firstAudio();
      return {
        ...base, hung_up_by: held.hungUpBy || 'callee', goal: verdict.goal, answers: verdict.answers, callback_at: verdict.callback_at,
        opted_out: verdict.optedOut, fault: held.fault, machine: verdict.machine, answered_at_ms: answered,
        first_audio_ms: first === null ? null : Math.max(0, first - answered), first_audio_method: measure.firstMethod(),
        talk_ms: ended - answered, record_url: recordUrl, ...(held.model ? { model: held.model } : {}), turns: wire.fitted(measure.all()).map((turn) => ({ ...turn })),
      };
    };

    const hangUp = (/** @type {By} */ by) => {
      if (held.finished) return;
      held.hungUpBy = held.hungUpBy || by;
      s.over = true;
      // Should the platform not say that the call ended, it is said here.
      after(() => {
        const reason = 'no event after hanging up';
        if (times.answered === null) failed({ code: 487, reason });
        else finish('Disconnected', { code: 0, reason, cost: null });
      }, HANGUP_MS);
      try {
        call.hangup();
      } catch (error) {
        log(`hanging up: ${error}`);
      }
    };
    // A call that ours broke before anybody answered was not cancelled: it could not be made.
    const failed = (/** @type {{code: number, reason: string}} */ { code, reason }) => finish('Failed', held.fault !== null && code === 487
      ? { code: 0, reason: `error: ${held.fault}: hung up before the answer` } : { code, reason });
    /** From now on only last words are said, whatever the talker was doing; false when that is so already. */
    const depart = (/** @type {By} */ by) => {
      if (s.over || s.leaving) return false;
      s.leaving = true;
      held.hungUpBy = by;
      measure.seal();
      if (talker.close) guard(talker.close)(null);
      voice.stop();
      return !s.over;
    };
    /** Says a last phrase of ours and hangs up. */
    const part = (/** @type {By} */ by, /** @type {string} */ phrase) => {
      if (depart(by)) voice.speak(phrase).then(() => hangUp(by));
    };
    /** A machine records when it has said its own words. */
    const leaveMessage = () => {
      if (!depart('agent')) return;
      const since = now();
      const look = () => {
        if (s.over) return;
        const quiet = !measure.calleeSpeaking() && now() - measure.lastSound() >= MESSAGE_PAUSE_MS;
        if (quiet || now() - since > MESSAGE_WAIT_MS) voice.speak(s.greeting).then(() => hangUp('agent'));
        else after(look, MESSAGE_LOOK_MS);
      };
      look();
    };
    const fail = (/** @type {Fault} */ fault, /** @type {unknown} */ error) => {
      log(`fault: ${fault}${error ? `: ${error}` : ''}`);
      if (held.finished || s.over) return;
      held.fault = held.fault || fault;
      // Whoever has lost the voice cannot say so.
      if (times.answered === null || held.mute || s.leaving) hangUp('fault');
      else part('fault', said.fault);
    };

    const voice = mouth.create({
      call: () => call, ruler: measure, over: () => s.over || held.finished, after, guard, failed: () => { held.mute = true; },
      speech: { voice: tongue.voice(grant.voice, language), progressivePlayback: true },
    });
    /** @param {object} question @param {(text: string) => void} [filler] @returns {Promise<Reply | null>} */
    const askNow = async (question, filler) => {
      const began = now();
      /** @type {object} */
      let body = { call_id: grant.call_id, ...question };
      for (let failed = 0, waited = 0; failed < ASKS_MAX && waited < WAITS_MAX;) {
        const sent = now();
        const result = await post(String(grant.dialog_url), grant.event_token, body, ASK_S);
        const reply = stored(result) ? json(result) : null;
        if (reply && reply.pending) {
          waited += 1;
          body = { ...body, again: true };
          if (filler && reply.reply_text && !s.over && !s.leaving) filler(reply.reply_text);
        } else if (reply) {
          measure.replyTook(now() - began);
          return reply;
        } else {
          failed += 1;
          log(`no reply from dialog_url (${result.code}), try ${failed}`);
          // What was refused was this turn, not the call.
          if (REFUSED.includes(result.code) && (held.refused += 1) <= REFUSED_MAX) return { reply_text: said.again };
          if (final(result) || now() - sent > ASK_S * 500) break;
        }
      }
      return null;
    };
    /** Questions go out one after the other: an answer is made of all that was said before. @type {Promise<any>} */
    let questions = Promise.resolve();
    let unanswered = 0;
    const ask = (/** @type {object} */ question, /** @type {(text: string) => void} */ filler = () => {}) => {
      unanswered += 1;
      const answer = questions.then(() => askNow(question, filler));
      questions = answer.catch(() => null).then((reply) => { unanswered -= 1; return reply; });
      return answer;
    };
    const note = (/** @type {Reply} */ reply) => {
      if (reply.fault) held.fault = held.fault || 'replier';
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
        const mute = talker.fault === 'model' ? 'model' : 'speech';
        if (at - times.answered > NO_AUDIO_MS) fail(unanswered > 0 ? 'replier' : mute, 'no agent audio');
        return;
      }
      const waiting = measure.waitingSince();
      if (waiting !== null && at - waiting > NO_REPLY_MS) fail(unanswered > 0 ? 'replier' : talker.fault, 'no reply');
      else if (at - measure.lastSound() > SILENCE_MS) part('agent', said.bye);
    };
    const watch = setInterval(guard(heard), WATCH_MS);

    let amdWatch = 0;
    const machine = (/** @type {any} */ event) => {
      clearTimeout(amdWatch);
      if (held.finished || !event.resultClass) return;
      verdict.machine = verdict.machine || event.resultClass === 'VOICEMAIL';
      report('Machine', { result: event.resultClass, subtype: event.resultSubtype || 'NONE', confidence: Math.round(event.confidence || 0) });
      if (event.resultClass !== 'VOICEMAIL' || s.over) return;
      if (grant.amd === 'message' && s.greeting !== '') leaveMessage();
      else if (grant.amd !== 'mark') hangUp('agent');
    };
    const detector = grant.amd && grant.amd !== 'off' ? machineDetector(language, guard(machine)) : null;
    const dial = () => {
      const options = detector ? { amd: detector } : {};
      if (!grant.route || grant.route === 'pstn') return VoxEngine.callPSTN(grant.to, grant.caller_id, options);
      const address = grant.route.includes('@') ? grant.route : grant.route.replace(/^(sips?:)?/, `$&${grant.to}@`);
      return VoxEngine.callSIP(address, { callerid: grant.caller_id, ...options });
    };
    /** @type {Call} */
    let call;
    /** @type {Session} */
    const s = {
      grant, language, ruler: measure, over: false, leaving: false, speak: voice.speak, stopSpeaking: voice.interrupt, ask, note, hangUp, fail, after,
      greeting: [grant.record ? grant.record_notice || said.recorded : '', grant.first_phrase || ''].filter((part) => part !== '').join(' '),
      get call() { return call; },
      spent: (model) => { held.model = model; },
      listen: (unit, how) => { ears.push([unit, how]); if (held.ears) call.sendMediaTo(unit, how); },
    };
    try {
      call = dial();
    } catch (error) {
      finish('Failed', { code: 0, reason: `error: the call could not be placed: ${error}` });
      return;
    }

    const attend = () => {
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
        const cap = Number(grant.call_s || 300) * 1000;
        after(() => part('limit', said.bye), cap);
        after(() => hangUp('limit'), cap + GOODBYE_MS);
        report('Connected', {});
        if (grant.record) {
          call.addEventListener(CallEvents.RecordStarted, guard((event) => { recordUrl = event.url || null; }));
          call.addEventListener(CallEvents.RecordError, () => log('the call is not recorded'));
          call.record({ stereo: true });
        }
        // Whoever detects nothing in time is treated as a person.
        if (detector) amdWatch = after(() => machine({ resultClass: 'TIMEOUT' }), AMD_MS + AMD_WATCH_MS);
        measure.hearCallee(call);
        return talker.connected(s);
      }));
      call.addEventListener(CallEvents.Disconnected, guard((event) => finish('Disconnected', {
        code: event.internalCode || 0, reason: event.reason || '', cost: typeof event.cost === 'number' ? event.cost : null,
      })));
      call.addEventListener(CallEvents.Failed, guard((event) => failed({ code: event.code || 0, reason: event.reason || '' })));
      const ringCap = after(() => { held.ringTimer = true; hangUp('limit'); }, Number(grant.ring_s || 45) * 1000);

      orders.hangUp = guard(() => hangUp('agent'));
      // A session that is taken down has one request left.
      VoxEngine.addEventListener(AppEvents.Terminating, () => {
        if (!held.finished) {
          held.finished = true;
          unsaid = lastEvent(times.answered === null ? 'Failed' : 'Disconnected', { code: 0, reason: 'the session was terminated', cost: null });
        }
        if (unsaid) Object.assign(unsaid, lastWords());
        if (unsaid) post(grant.event_url, grant.event_token, unsaid, LAST_POST_S);
      });
      guard(() => Promise.all([measure.prepare(), talker.dialled ? talker.dialled(s) : null]))(null);
    };
    // From here on there is a call: whatever breaks is its fault, and it is never given back.
    guard(attend)(null);
  };

  /** All that a module of another shape can refuse happens here, before anything is dialled.
   * @param {string} language @param {(event: any) => void} told */
  const machineDetector = (language, told) => {
    try {
      const detector = AMD.create({ model: tongue.detector(language), timeout: AMD_MS });
      detector.addEventListener(AMD.Events.DetectionComplete, told);
      detector.addEventListener(AMD.Events.DetectionError, () => told({ resultClass: 'TIMEOUT' }));
      return detector;
    } catch (error) {
      log(`no machine detection: ${error}`);
      return null;
    }
  };

  /** @param {Talker} talker */
  const run = (talker) => {
    // Modules that an engine may lack: then the ruler says so, and nobody is taken for a machine.
    for (const module of [Modules.Silero, Modules.AMD || 'amd']) {
      try {
        load(module);
      } catch (error) {
        log(`module ${module}: ${error}`);
      }
    }
    let session = '';
    let rung = false;
    /** @type {Orders} */
    const orders = { hungUp: false, hangUp: () => {} };
    VoxEngine.addEventListener(AppEvents.Started, (event) => {
      session = String(event.sessionId);
      const data = json({ code: 200, text: VoxEngine.customData() });
      if (data && typeof data.a === 'string' && typeof data.t === 'string' && typeof data.u === 'string') {
        outbound(talker, { ...data, u: data.u.replace(/\/+$/, '') }, session, orders);
        return;
      }
      // No order to dial: either somebody rings in at once, or there is nothing to do here.
      setTimeout(() => { if (!rung) VoxEngine.terminate(); }, ORDER_MS);
    });
    VoxEngine.addEventListener(AppEvents.CallAlerting, (event) => {
      rung = true;
      const call = inbound.take(event, session);
      orders.hangUp = () => call.hangup();
    });
    // The platform may send requests of its own: what is no command of ours is ignored.
    VoxEngine.addEventListener(AppEvents.HttpRequest, (event) => {
      const command = json({ code: 200, text: event.content });
      if (!command || command.command !== 'hangup') return JSON.stringify({ ok: false });
      orders.hungUp = true;
      orders.hangUp();
      return JSON.stringify({ ok: true });
    });
  };

  return Object.freeze({ run, log });
})();
