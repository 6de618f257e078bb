/// <reference path="./lib/halo.js" />
/// <reference path="./lib/sentences.js" />
// Mode `dialog`: the platform recognises the callee's speech, `dialog_url` answers with text, the
// platform speaks it. Where the grant names a stream, the reply comes sentence by sentence.

require(Modules.ASR);

halo.run((() => {
  /** @type {ASR | null} */
  let asr = null;
  let turn = 0;
  /** Questions go out one after the other, so that the replier hears the callee in order. */
  let asking = Promise.resolve();
  /** @type {Line | null} */
  let line = null;
  /** Sentences are said one after the other; of a reply that was interrupted, no more. @type {Promise<unknown>} */
  let saying = Promise.resolve();
  let interrupted = 0;

  /** @param {Session} s @param {string} text */
  const say = async (s, text) => {
    const how = await s.speak(text);
    if (how === 'failed') s.fail('speech', 'a reply was not spoken');
    return how;
  };

  /** One more sentence of the reply to a turn. @param {Session} s @param {number} nth @param {string} sentence */
  const sayMore = (s, nth, sentence) => {
    saying = saying.then(async () => {
      if (s.over || interrupted === nth || (nth !== turn && !s.leaving)) return;
      if (await say(s, sentence) !== 'finished') interrupted = nth;
    });
  };

  /** By the stream: the sentences are said while they come. @param {Session} s @param {number} nth @param {object} question */
  const streamed = async (s, nth, question) => {
    if (!line) return null;
    const answers = s.ruler.turns();
    const began = Date.now();
    let first = true;
    let begun = false;
    const reply = await line.ask({ call_id: s.grant.call_id, ...question }, (sentence, filler) => {
      if (s.over || s.leaving || nth !== turn) return;
      if (filler) s.ruler.filled();
      else s.ruler.agentText(sentence, answers);
      begun = begun || !filler;
      if (first) s.ruler.replyTook(Date.now() - began);
      first = false;
      sayMore(s, nth, sentence);
    });
    // Half a reply was heard: what is missing of it is not said again.
    if (!reply) return begun ? {} : null;
    // A goodbye is said, whatever the callee said meanwhile.
    return { ...reply, unsaid: begun ? '' : reply.reply_text || '' };
  };

  /** @param {Session} s @param {number} nth @param {string} text */
  const answer = async (s, nth, text) => {
    if (s.over || s.leaving) return;
    const question = { turn: nth, text, is_final: true };
    const whole = await streamed(s, nth, question);
    if (s.over || s.leaving) return;
    if (whole) {
      s.note(whole);
      if (!whole.end_session) return;
      s.leaving = true;
      await saying;
      if (whole.unsaid === '' || await say(s, whole.unsaid) !== 'failed') s.hangUp(whole.fault ? 'fault' : 'agent');
      return;
    }
    const reply = await s.ask(question, (filler) => {
      if (nth !== turn) return;
      s.ruler.filled();
      sayMore(s, nth, filler);
    });
    // The filler is said to its end.
    await saying;
    if (s.over || s.leaving) return;
    if (!reply) {
      s.fail('replier', 'no reply');
      return;
    }
    s.note(reply);
    const spoken = reply.reply_text || '';
    // The callee went on meanwhile: the answer to all of it follows.
    if (nth !== turn && !reply.end_session) return;
    if (spoken !== '') s.ruler.agentText(spoken, s.ruler.turns());
    if (!reply.end_session) {
      if (spoken !== '') say(s, spoken);
      return;
    }
    s.leaving = true;
    if (spoken === '' || await say(s, spoken) !== 'failed') s.hangUp(reply.fault ? 'fault' : 'agent');
  };

  return {
    fault: 'replier',
    unready: () => null,

    async connected(s) {
      line = sentences.open(s.grant.stream_url, s.grant.event_token);
      asr = VoxEngine.createASR({ profile: tongue.recogniser(s.language) });
      asr.addEventListener(ASREvents.CaptureStarted, () => s.ruler.vendorCalleeBegan());
      asr.addEventListener(ASREvents.SpeechCaptured, () => s.ruler.vendorCalleeEnded(null));
      asr.addEventListener(ASREvents.ASRError, (event) => s.fail('speech', event.error));
      asr.addEventListener(ASREvents.Result, (event) => {
        const text = String(event.text || '').trim();
        if (text === '') return;
        // Nobody answers them any more, but they may ask never to be called again.
        if (s.over || s.leaving) {
          s.ruler.lastWord(text);
          return;
        }
        s.ruler.calleeText(text);
        turn += 1;
        const nth = turn;
        asking = asking.then(() => answer(s, nth, text)).catch((error) => s.fail('scenario', error));
      });
      s.listen(asr);

      let greeting = s.greeting;
      if (s.grant.first_phrase === '') {
        const opening = await s.ask({});
        if (!opening) {
          s.fail('replier', 'no opening');
          return;
        }
        s.note(opening);
        greeting = `${greeting} ${opening.reply_text || ''}`.trim();
      }
      await say(s, greeting);
    },

    // Whoever is spoken over falls silent.
    calleeStarted(s) {
      s.stopSpeaking();
    },

    close() {
      if (asr) asr.stop();
      asr = null;
      if (line) line.close();
      line = null;
    },
  };
})());
