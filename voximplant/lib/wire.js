// Requests that never throw, and what is said in each language: the part of the shared code that knows
// nothing of calls.

const wire = (() => {
  const POST_TRIES = 3;
  const POST_TRY_S = 10;
  const POST_PAUSE_MS = 1000;
  const LAST_EVENT_BYTES = 60000;
  const TURN_BYTES = 400;

  const PHRASES = {
    ru: {
      fault: 'Извините, у нас неполадки со связью. Всего доброго.',
      bye: 'Спасибо за разговор. Всего доброго.',
      recorded: 'Разговор записывается.',
      inbound: 'Здравствуйте. Вам звонил автоматический помощник. Чтобы больше не получать звонков, нажмите один.',
      optedOut: 'Хорошо, мы больше не будем вам звонить. Всего доброго.',
    },
    en: {
      fault: 'Sorry, we have technical trouble. Goodbye.',
      bye: 'Thank you for your time. Goodbye.',
      recorded: 'This call is recorded.',
      inbound: 'Hello. You were called by an automatic assistant. To stop these calls, press one.',
      optedOut: 'All right, we will not call you again. Goodbye.',
    },
  };
  /** @param {string} language */
  const phrases = (language) => (language.toLowerCase().startsWith('ru') ? PHRASES.ru : PHRASES.en);

  /** @param {string} line */
  const log = (line) => Logger.write(`[halo] ${line}`);
  /** @param {number} ms @returns {Promise<void>} */
  const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

  /** A member of a platform's list by its dotted name. @param {any} list @param {string} path @returns {any} */
  const member = (list, path) => path.split('.').reduce((held, part) => (held ? held[part] : undefined), list);
  /** @param {string | null} name @param {string} language @returns {Voice | undefined} */
  const voice = (name, language) => {
    const named = name && name.includes('.') ? member(VoiceList, name) : undefined;
    if (named) return named;
    return language.toLowerCase().startsWith('ru')
      ? member(VoiceList, 'TBank.ru_RU_Anna') || member(VoiceList, 'Yandex.Neural.ru_RU_alena')
      : member(VoiceList, 'Google.en_US_Standard_C') || member(VoiceList, 'Amazon.en_US_Joanna');
  };
  /** @param {string} language @returns {ASRProfile} */
  const recogniser = (language) => {
    const name = language.replace('-', '_');
    const found = (name === 'ru_RU' && member(ASRProfileList, 'Yandex.ru_RU')) || member(ASRProfileList, `Google.${name}`);
    if (!found) throw new Error(`no recogniser for ${language}`);
    return found;
  };

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
  /** @param {NetResult} result @returns {any} */
  const json = (result) => {
    try {
      return JSON.parse(result.text || '');
    } catch (_) {
      return null;
    }
  };

  return Object.freeze({ PHRASES, phrases, log, sleep, voice, recogniser, post, stored, final, deliver, fitted, json });
})();
