/// <reference path="./wire.js" />
// Leave to dial: asked for in the session's first act, with its tries. Without it nothing is dialled.

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
 * @property {string | null} [stream_url] The same dialogue, sentence by sentence.
 * @property {string} language A tag such as `ru-RU`, or `auto`.
 * @property {string | null} voice `female`, `male`, or a provider's full name.
 * @property {string} first_phrase
 * @property {string} instructions
 * @property {{name?: string}[]} tools
 * @property {string | null} model
 * @property {string | null} openai_base_url
 * @property {string | null} media_url Where the audio goes in the stream mode.
 * @property {{threshold?: number, min_silence_ms?: number} | null} vad
 * @property {object | null} [turn_detection]
 * @property {'off' | 'mark' | 'hang_up' | 'message'} amd
 * @property {boolean} record
 * @property {string | null} [record_notice] The script's own words about the recording.
 * @property {string} route `pstn`, or a SIP address; without a user part the number is put before it.
 * @property {number} ring_s
 * @property {number} call_s
 */
const leave = (() => {
  const TRIES = 3;
  const TRY_MS = 8000;
  const PAUSE_MS = 1000;
  /** An older grant is given back: the line it holds was counted from its first second. */
  const AGE_MAX_MS = 10000;

  /**
   * Asks. An answer to an earlier try is ignored: it may speak of a moment long past.
   * @param {{a: string, t: string, u: string}} data @param {string} session
   * @returns {Promise<{grant: Grant, fresh: boolean} | {refused: number} | null>}
   */
  const ask = async (data, session) => {
    for (let nth = 1; nth <= TRIES; nth += 1) {
      const sent = Date.now();
      const tried = wire.post(`${data.u}/voximplant/grant`, null, { a: data.a, t: data.t, session_id: session }, TRY_MS / 1000);
      const result = await Promise.race([tried, wire.sleep(TRY_MS).then(() => null)]);
      if (result && wire.stored(result)) {
        const grant = wire.json(result);
        if (grant && typeof grant.to === 'string' && typeof grant.event_url === 'string') {
          // An age that is no number is too old.
          const age = typeof grant.granted_ms_ago === 'number' ? grant.granted_ms_ago : Infinity;
          return { grant, fresh: age + (Date.now() - sent) <= AGE_MAX_MS };
        }
      } else if (result && wire.final(result)) {
        return { refused: result.code };
      }
      wire.log(`no grant at try ${nth} (${result ? result.code : 'timeout'})`);
      if (nth < TRIES && Date.now() - sent < PAUSE_MS) await wire.sleep(PAUSE_MS * nth);
    }
    return null;
  };

  return Object.freeze({ ask });
})();
