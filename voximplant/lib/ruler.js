// The ruler: when the callee stopped speaking and when the agent's first sound came, by the same means
// in every mode. One voice-activity detector listens to the callee, a second one to the agent's audio.
// What a vendor's events say is kept beside and used only where a detector is missing, and then the
// turn's methods say so. The ruler measures; it never speaks, dials or reports.

/**
 * How an instant was found: by a detector's own position, by a vendor's event minus the silence that
 * it waits for, or by the raw event.
 * @typedef {'vad' | 'event_corrected' | 'event'} Method
 *
 * @typedef {object} Turn
 * @property {number} n
 * @property {string} callee_text
 * @property {string} agent_text
 * @property {number} callee_end_ms
 * @property {number | null} agent_start_ms
 * @property {number | null} turn_ms
 * @property {Method} end_method
 * @property {Method} start_method
 * @property {number | null} asr_ms
 * @property {number | null} reply_ms
 * @property {number | null} model_ms
 * @property {number | null} tts_ms
 * @property {boolean} filler
 * @property {number | null} content_ms From the callee's end to the first sound that is not the filler's.
 * @property {boolean} interrupted
 *
 * Where a stage began, until the agent's first sound ends it.
 * @typedef {{turn: Turn, told: boolean, model_from: number | null, tts_from: number | null,
 *   heard_by_vendor: number | null, content_by_vendor: number | null}} OpenTurn
 *
 * @typedef {object} RulerOptions
 * @property {() => number} now Session milliseconds.
 * @property {number} threshold
 * @property {number} silence How long a detector waits before it calls speech ended, in milliseconds.
 * @property {(line: string) => void} log
 * @property {(turn: Turn) => void} turnOver A turn is complete.
 * @property {() => void} calleeStarted The callee began to speak.
 * @property {() => void} changed Somebody began or stopped speaking.
 */
const ruler = (() => {
  /** Speech that goes on this soon after its end is the same turn: a pause for breath. */
  const RESUME_MS = 1000;
  /** A detector's position must lie this close to its event's arrival to be believed. */
  const POSITION_DRIFT_MS = 2000;

  /** @param {RulerOptions} options */
  const create = (options) => {
    const { now, log } = options;
    const callee = { speaking: false, since: 0, ended: 0 };
    const agent = { speaking: false, since: 0, ended: 0, method: /** @type {Method} */ ('event') };
    /** @type {OpenTurn[]} */
    const turns = [];
    let listening = false;
    let sealed = false;
    let gone = false;
    /** Words of the callee are on their way to a text. */
    let awaited = false;
    let lastWords = '';
    /** @type {number | null} */
    let firstAudio = null;
    /** @type {Method} */
    let firstMethod = 'event';
    /** @type {number | null} */
    let firstByVendor = null;
    /** @type {{text: string, at: number} | null} */
    let early = null;
    /** @type {{at: number, method: Method} | null} */
    let vendorEnd = null;

    const last = () => turns[turns.length - 1];
    const complete = (/** @type {OpenTurn | undefined} */ open) => {
      if (!open || open.told || gone) return;
      open.told = true;
      options.turnOver(settled(open));
    };

    /** A turn as it is reported: a vendor's event stands in where the detector heard nothing. */
    const settled = (/** @type {OpenTurn} */ open) => {
      const turn = open.turn;
      if (turn.agent_start_ms === null && open.heard_by_vendor !== null) {
        answer(open, open.heard_by_vendor, 'event');
      }
      // A reply close behind its filler is one piece of speech to the detector.
      if (turn.content_ms === null) turn.content_ms = open.content_by_vendor;
      return turn;
    };

    const answer = (/** @type {OpenTurn} */ open, /** @type {number} */ at, /** @type {Method} */ method) => {
      const turn = open.turn;
      turn.agent_start_ms = at;
      turn.start_method = method;
      turn.turn_ms = at - turn.callee_end_ms;
      if (open.model_from !== null) turn.model_ms = Math.max(0, at - open.model_from);
      if (open.tts_from !== null) turn.tts_ms = Math.max(0, at - open.tts_from);
    };

    /** A filler was said, and the reply itself is known and was not heard yet. */
    const awaitsContent = (/** @type {Turn} */ turn) => turn.filler && turn.content_ms === null && turn.agent_text !== '';

    const begin = (/** @type {number} */ at, /** @type {Method} */ method) => {
      complete(last());
      turns.push({
        told: false, model_from: null, tts_from: null, heard_by_vendor: null, content_by_vendor: null,
        turn: {
          n: turns.length + 1, callee_text: '', agent_text: '', callee_end_ms: at, agent_start_ms: null, turn_ms: null,
          end_method: method, start_method: agentVad ? 'vad' : 'event', asr_ms: null, reply_ms: null, model_ms: null,
          tts_ms: null, filler: false, content_ms: null, interrupted: false,
        },
      });
      if (early) {
        last().turn.callee_text = early.text;
        last().turn.asr_ms = Math.max(0, early.at - at);
        early = null;
      }
    };

    const calleeBegins = (/** @type {number} */ at) => {
      if (callee.speaking) return;
      callee.speaking = true;
      callee.since = at;
      if (gone) return;
      if (agent.speaking && turns.length > 0 && last().turn.agent_start_ms !== null) last().turn.interrupted = true;
      options.calleeStarted();
      options.changed();
    };

    const calleeEnds = (/** @type {number} */ at, /** @type {Method} */ method) => {
      const since = callee.speaking ? callee.since : at;
      callee.speaking = false;
      callee.ended = at;
      if (gone) return;
      if (listening) {
        const before = last();
        const goesOn = before && before.turn.agent_start_ms === null && before.heard_by_vendor === null
          && since - before.turn.callee_end_ms < RESUME_MS;
        if (goesOn) {
          before.turn.callee_end_ms = at;
          before.turn.end_method = method;
        } else {
          begin(at, method);
        }
        // The detector tells of an end after its silence; a quick reply may have begun meanwhile.
        if (!sealed && agent.speaking && agent.since >= at && last().turn.agent_start_ms === null) {
          answer(last(), agent.since, agent.method);
        }
      }
      options.changed();
    };

    const agentBegins = (/** @type {number} */ at, /** @type {Method} */ method) => {
      if (gone) return;
      agent.speaking = true;
      agent.since = at;
      agent.method = method;
      if (firstAudio === null && turns.length === 0) {
        firstAudio = at;
        firstMethod = method;
      } else if (!sealed && turns.length > 0 && last().turn.agent_start_ms === null && !callee.speaking) {
        answer(last(), at, method);
      } else if (!sealed && turns.length > 0 && !callee.speaking) {
        // Behind a filler the reply itself: its words are known by now.
        const turn = last().turn;
        if (awaitsContent(turn)) turn.content_ms = at - turn.callee_end_ms;
      }
      options.changed();
    };

    const agentEnds = (/** @type {number} */ at) => {
      if (!agent.speaking || gone) return;
      agent.speaking = false;
      agent.ended = at;
      options.changed();
    };

    // Detectors. Positions count the media received, in seconds by the vendor's reference; whole
    // milliseconds are understood too. A position far from its event's arrival means that the media had
    // gaps: then the arrival stands in, corrected by the known silence, and the method says so.
    /** @type {Silero.VAD | null} */
    let calleeVad = null;
    /** @type {Silero.VAD | null} */
    let agentVad = null;
    const anchors = { callee: /** @type {number | null} */ (null), agent: /** @type {number | null} */ (null) };

    /** @param {number} position @param {number | null} anchor @param {number} late @returns {{at: number, method: Method}} */
    const place = (position, anchor, late) => {
      const arrived = now();
      for (const scale of [1000, 1]) {
        const at = Math.round((anchor || 0) + position * scale);
        if (anchor !== null && at <= arrived + 50 && at >= arrived - late - POSITION_DRIFT_MS) return { at, method: 'vad' };
      }
      return { at: arrived - late, method: 'event_corrected' };
    };

    /** @param {(event: Silero.ResultEvent) => void} heard */
    const detector = async (heard) => {
      try {
        const vad = await Silero.createVAD({
          threshold: options.threshold, minSilenceDurationMs: options.silence, speechPadMs: 0,
        });
        vad.addEventListener(Silero.VADEvents.Result, heard);
        return vad;
      } catch (error) {
        log(`no voice-activity detector: ${error}`);
        return null;
      }
    };

    return Object.freeze({
      /** Makes both detectors; called while it rings, because it takes a moment. */
      async prepare() {
        [calleeVad, agentVad] = await Promise.all([
          detector((event) => {
            if (typeof event.speechStartAt === 'number') calleeBegins(place(event.speechStartAt, anchors.callee, 0).at);
            if (typeof event.speechEndAt === 'number') {
              const { at, method } = place(event.speechEndAt, anchors.callee, options.silence);
              calleeEnds(at, method);
            }
          }),
          detector((event) => {
            if (typeof event.speechStartAt === 'number') {
              const { at, method } = place(event.speechStartAt, anchors.agent, 0);
              agentBegins(at, method);
            }
            if (typeof event.speechEndAt === 'number') agentEnds(place(event.speechEndAt, anchors.agent, options.silence).at);
          }),
        ]);
      },

      /** @param {Call} call */
      hearCallee(call) {
        if (!calleeVad) return;
        call.sendMediaTo(calleeVad);
        anchors.callee = now();
      },

      /** @param {VoxSource} unit What plays the agent's voice. */
      hearAgent(unit) {
        if (!agentVad) return;
        unit.sendMediaTo(agentVad);
        if (anchors.agent === null) anchors.agent = now();
      },

      /** From now on the callee's speech makes turns. The words a phone is picked up with are none. */
      listen() { listening = true; },
      /** What the agent says from now on answers nothing: an apology is no reply. */
      seal() { sealed = true; },
      /** The line is gone: no turn is made, answered or told any more. Words that are understood are last words. */
      gone() {
        gone = true;
        awaited = listening && (callee.speaking || (turns.length > 0 && last().turn.callee_text === ''));
        if (early) lastWords = early.text;
      },
      /** Are words of the callee still on their way to a text? */
      unheard: () => awaited,
      /** What the callee said when nobody answered it any more. @param {string} text */
      lastWord(text) {
        lastWords = lastWords === '' ? text : `${lastWords} ${text}`;
        awaited = false;
      },
      lastWords: () => lastWords,

      // What vendors say.
      vendorCalleeBegan() { if (!calleeVad) calleeBegins(now()); },
      /** @param {number | null} silence What the event has waited for, where that is known. */
      vendorCalleeEnded(silence) {
        vendorEnd = { at: now() - (silence || 0), method: silence === null ? 'event' : 'event_corrected' };
        if (!calleeVad) calleeEnds(vendorEnd.at, vendorEnd.method);
      },
      vendorAgentBegan() {
        const at = now();
        if (!agentVad) {
          agentBegins(at, 'event');
          return;
        }
        if (firstByVendor === null) {
          firstByVendor = at;
          options.changed();
        }
        const open = last();
        if (open && !sealed && open.content_by_vendor === null && awaitsContent(open.turn)) {
          open.content_by_vendor = at - open.turn.callee_end_ms;
        }
        const unheard = open && open.turn.agent_start_ms === null && open.heard_by_vendor === null;
        if (unheard && !sealed && !callee.speaking) open.heard_by_vendor = at;
      },
      /** @param {number} late By how much the event is late. */
      vendorAgentEnded(late) {
        agentEnds(now() - late);
        const open = last();
        if (open && (open.turn.agent_start_ms !== null || open.heard_by_vendor !== null)) complete(open);
      },

      /** What the recogniser made of the callee's last words. @param {string} text */
      calleeText(text) {
        const at = now();
        const open = last();
        if (callee.speaking) {
          early = { text: early ? `${early.text} ${text}` : text, at };
        } else if (open && (open.turn.callee_text === '' || open.turn.agent_start_ms === null)) {
          const turn = open.turn;
          turn.callee_text = turn.callee_text === '' ? text : `${turn.callee_text} ${text}`;
          turn.asr_ms = Math.max(0, at - turn.callee_end_ms);
        } else if (listening) {
          // The detector missed quiet speech; the vendor's end of it is the best there is.
          begin(vendorEnd ? vendorEnd.at : at, vendorEnd ? vendorEnd.method : 'event');
          last().turn.callee_text = text;
          last().turn.asr_ms = Math.max(0, at - last().turn.callee_end_ms);
        }
        vendorEnd = null;
      },
      /** @param {string} text @param {number} nth The turn that it answers; the greeting answers none. */
      agentText(text, nth) {
        const open = turns[nth - 1];
        if (open) open.turn.agent_text = open.turn.agent_text === '' ? text : `${open.turn.agent_text} ${text}`;
      },
      /** A filler is said, because the reply is late. */
      filled() { if (turns.length > 0) last().turn.filler = true; },
      /** @param {number} ms */
      replyTook(ms) { if (turns.length > 0) last().turn.reply_ms = Math.round(ms); },
      modelBegins() { if (turns.length > 0 && last().turn.agent_start_ms === null) last().model_from = now(); },
      synthesisBegins() { if (turns.length > 0 && last().turn.agent_start_ms === null) last().tts_from = now(); },

      calleeSpeaking: () => callee.speaking,
      agentSpeaking: () => agent.speaking,
      /** The last instant at which somebody was heard. */
      lastSound: () => (callee.speaking || agent.speaking ? now()
        // A vendor may tell of the first audio before any detector does.
        : Math.max(callee.ended, agent.ended, firstByVendor || 0)),
      /** Since when the callee waits for a reply, or null. */
      waitingSince() {
        const open = last();
        const waits = open && open.turn.callee_text !== '' && open.turn.agent_start_ms === null
          && open.heard_by_vendor === null && !callee.speaking;
        return waits ? open.turn.callee_end_ms : null;
      },
      turns: () => turns.length,
      agentHasSpoken: () => agent.ended > 0,
      lastText: () => (turns.length > 0 ? last().turn.callee_text : ''),
      firstAudio: () => (firstAudio === null ? firstByVendor : firstAudio),
      firstMethod: () => firstMethod,
      all: () => turns.map(settled),
    });
  };

  return Object.freeze({ create });
})();
