// Requests that never throw, within the platform's limits: the part of the shared code that knows nothing
// of calls.

const wire = (() => {
  const POST_TRIES = 3;
  const POST_TRY_S = 10;
  const POST_PAUSE_MS = 1000;
  /** The tools of a model and what it used take up to a quarter of the 64 KiB. */
  const LAST_EVENT_BYTES = 46000;
  const TURN_BYTES = 400;

  /** @param {string} line */
  const log = (line) => Logger.write(`[halo] ${line}`);
  /** @param {number} ms @returns {Promise<void>} */
  const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

  /** One request that never throws. @param {string} url @param {string | null} token @param {object} body @param {number} seconds @returns {Promise<NetResult>} */
  const post = async (url, token, body, seconds) => {
    /** @type {Record<string, string>} */
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    try {
      return await Net.httpRequestAsync(url, { method: 'POST', headers, postData: JSON.stringify(body), timeout: seconds });
    } catch (error) {
      return { code: 0, error: String(error) };
    }
  };
  /** @param {NetResult} result */
  const stored = (result) => result.code >= 200 && result.code < 300;
  /** A refusal by our server is final; trouble on the way is worth another try. @param {NetResult} result */
  const final = (result) => result.code >= 400 && result.code < 500 && result.code !== 408 && result.code !== 429;
  /** @param {string} url @param {string} token @param {object} body @param {() => boolean} goOn */
  const deliver = async (url, token, body, goOn) => {
    for (let nth = 1; nth <= POST_TRIES; nth += 1) {
      const result = await post(url, token, body, POST_TRY_S);
      if (stored(result)) return true;
      log(`event not stored (${result.code}), try ${nth}`);
      if (final(result) || nth === POST_TRIES || !goOn()) return false;
      await sleep(POST_PAUSE_MS * nth * nth);
    }
    return false;
  };
  /** Turns for the last event, which our server takes up to 64 KiB: texts of the oldest go first, they were
   * sent with their own events. A character takes at most three bytes of UTF-8 (six where JSON escapes it).
   * @template {{callee_text: string, agent_text: string}} T @param {T[]} turns
   * @returns {Array<T | (Omit<T, 'callee_text' | 'agent_text'> & {callee_text: null, agent_text: null})>} */
  const fitted = (turns) => {
    let spare = LAST_EVENT_BYTES - turns.length * TURN_BYTES;
    return turns.slice().reverse().map((turn) => {
      spare -= 3 * (turn.callee_text.length + turn.agent_text.length);
      return spare > 0 ? turn : { ...turn, callee_text: null, agent_text: null };
    }).reverse();
  };
  /** A text in pieces that one synthesis takes, cut where a sentence ends, or at least a word.
   * @param {string} text @param {number} longest @returns {string[]} */
  const pieces = (text, longest) => {
    const cut = [];
    let rest = text.trim();
    while (rest.length > longest) {
      const head = rest.slice(0, longest + 1);
      const sentence = Math.max(head.lastIndexOf('. '), head.lastIndexOf('! '), head.lastIndexOf('? ')) + 1;
      const at = sentence > 0 ? sentence : head.lastIndexOf(' ') > 0 ? head.lastIndexOf(' ') : longest;
      cut.push(rest.slice(0, at));
      rest = rest.slice(at).trim();
    }
    return rest === '' ? cut : [...cut, rest];
  };
  /** @param {NetResult} result @returns {any} */
  const json = (result) => {
    try {
      return JSON.parse(result.text || '');
    } catch (_) {
      return null;
    }
  };

  return Object.freeze({ log, sleep, post, stored, final, deliver, fitted, pieces, json });
})();
