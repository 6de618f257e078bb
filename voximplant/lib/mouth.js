/// <reference path="./tongue.js" />
/// <reference path="./wire.js" />
/// <reference path="./ruler.js" />
// What the platform's synthesis says into a call: one phrase at a time, never for ever. A phrase that does
// not begin has failed; one whose end is not told is over when it must be.

/**
 * @typedef {'finished' | 'stopped' | 'failed'} Spoken
 *
 * @typedef {object} MouthOptions
 * @property {() => Call} call
 * @property {ReturnType<typeof ruler.create>} ruler
 * @property {SpeechOptions} speech
 * @property {() => void} failed A phrase could not be said.
 * @property {() => boolean} over Nothing more is said.
 * @property {(run: () => void, ms: number) => number} after
 * @property {(run: (event: any) => unknown) => (event?: any) => void} guard
 */
const mouth = (() => {
  const PHRASE_MAX = 1500;
  const START_MS = 8000;
  /** Longer than any voice takes: a guard only, for an end that is never told. */
  const CHARACTER_MS = 150;
  const END_MS = 5000;

  /** @param {MouthOptions} options */
  const create = (options) => {
    const { after, guard, ruler: measure, speech } = options;
    /** @type {(() => void) | null} */
    let stopPlayer = null;
    let sounds = false;
    const stop = () => { if (stopPlayer) stopPlayer(); };
    /** Ends a phrase that has begun. */
    const interrupt = () => { if (sounds) stop(); };

    /** @param {string} phrase @returns {Promise<Spoken>} */
    const say = (phrase) => new Promise((resolve) => {
      if (options.over()) { resolve('stopped'); return; }
      const call = options.call();
      /** @type {Player | null} */
      let player = null;
      let done = false;
      const end = (/** @type {Spoken} */ how) => {
        if (done) return;
        done = true;
        clearTimeout(late);
        stopPlayer = null;
        sounds = false;
        if (how === 'failed') options.failed();
        // A player lives until it is stopped, even when it has said all, and a session has ten of them.
        try {
          if (player) player.stop();
        } catch (error) {
          wire.log(`stopping a player: ${error}`);
        }
        measure.vendorAgentEnded(0);
        resolve(how);
      };
      let late = after(() => end('failed'), START_MS);
      const begun = guard(() => {
        if (done) return;
        clearTimeout(late);
        sounds = true;
        late = after(() => end('finished'), phrase.length * CHARACTER_MS + END_MS);
        measure.vendorAgentBegan();
      });
      const over = guard((event) => end(event.error ? 'failed' : 'finished'));
      measure.synthesisBegins();
      try {
        player = VoxEngine.createTTSPlayer(phrase, speech);
      } catch (error) {
        wire.log(`no player, the call speaks: ${error}`);
      }
      if (player) {
        const unit = player;
        stopPlayer = () => end('stopped');
        unit.addEventListener(PlayerEvents.Started, begun);
        unit.addEventListener(PlayerEvents.PlaybackFinished, over);
        unit.addEventListener(PlayerEvents.Error, () => end('failed'));
        measure.hearAgent(unit);
        unit.sendMediaTo(call);
        return;
      }
      // `say` is heard by no detector: these turns are measured by the platform's own events.
      const quiet = () => { call.removeEventListener(CallEvents.PlaybackStarted, begun); call.removeEventListener(CallEvents.PlaybackFinished, said); };
      const said = guard((event) => { quiet(); over(event); });
      stopPlayer = () => { quiet(); call.stopPlayback(); end('stopped'); };
      call.addEventListener(CallEvents.PlaybackStarted, begun);
      call.addEventListener(CallEvents.PlaybackFinished, said);
      call.say(phrase, speech);
    });

    /** Says a text instead of whatever is being said. @param {string} text @returns {Promise<Spoken>} */
    const speak = async (text) => {
      stop();
      for (const piece of wire.pieces(text, PHRASE_MAX)) {
        const how = await say(piece);
        if (how !== 'finished') return how;
      }
      return options.over() ? 'stopped' : 'finished';
    };
    return Object.freeze({ speak, stop, interrupt });
  };

  return Object.freeze({ create });
})();
