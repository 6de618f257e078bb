/// <reference path="./lib/halo.js" />
// Mode `dialog`: the platform recognises the callee's speech, `dialog_url` answers with text, the
// platform speaks it.

require(Modules.ASR);

halo.run((() => {
  /** @type {ASR | null} */
  let asr = null;
  let turn = 0;
  /** Questions go out one after the other, so that the replier hears the callee in order. */
  let asking = Promise.resolve();

  /** @param {Session} s @param {string} text */
  const say = async (s, text) => {
    const how = await s.speak(text);
    if (how === 'failed') s.fail('speech', 'a reply was not spoken');
    return how;
  };

  /** @param {Session} s @param {number} nth @param {string} text */
  const answer = async (s, nth, text) => {
    if (s.over || s.leaving) return;
    const reply = await s.ask({ turn: nth, text, is_final: true });
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
    if (spoken === '' || await say(s, spoken) !== 'failed') s.hangUp('agent');
  };

  return {
    fault: 'replier',
    unready: () => null,

    async connected(s) {
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
    },
  };
})());
