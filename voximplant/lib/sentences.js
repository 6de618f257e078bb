/// <reference path="./wire.js" />
// The dialogue by WebSocket, sentence by sentence: the first is said while the rest is fetched. Whatever goes
// wrong with it, `dialog_url` is asked for the same turn and gives the same answer.

/**
 * @typedef {object} Line
 * @property {(question: object, heard: (sentence: string, filler: boolean) => void) => Promise<any>} ask The whole
 *   reply once all its sentences were heard, or null: ask the other way.
 * @property {() => void} close
 */
const sentences = (() => {
  const OPEN_MS = 3000;
  const REPLY_MS = 14000;

  /** @param {string | null | undefined} url @param {string} token @returns {Line | null} */
  const open = (url, token) => {
    if (!url) return null;
    /** @type {VoxSocket | null} */
    let socket = null;
    /** @type {(() => void)[]} */
    let openers = [];
    /** The question under way. @type {{heard: (sentence: string, filler: boolean) => void, end: (reply: any) => void} | null} */
    let asked = null;
    const gone = (/** @type {string} */ why) => {
      if (socket) wire.log(`no more sentences: ${why}`);
      socket = null;
      openers.splice(0).forEach((run) => run());
      if (asked) asked.end(null);
    };
    try {
      const made = VoxEngine.createWebSocket(url, { headers: [{ name: 'Authorization', value: `Bearer ${token}` }] });
      socket = made;
      made.addEventListener(WebSocketEvents.OPEN, () => openers.splice(0).forEach((run) => run()));
      made.addEventListener(WebSocketEvents.ERROR, (event) => gone(event.reason || 'error'));
      made.addEventListener(WebSocketEvents.CLOSE, (event) => gone(`closed with ${event.code}`));
      made.addEventListener(WebSocketEvents.MESSAGE, (event) => {
        const told = wire.json({ code: 200, text: event.text });
        if (!asked || !told) return;
        if (typeof told.chunk === 'string') asked.heard(told.chunk, told.filler === true);
        else asked.end(told.done ? told : null);
      });
    } catch (error) {
      gone(String(error));
      return null;
    }

    /** @returns {Promise<unknown>} */
    const ready = () => (socket && socket.readyState === 'connecting'
      ? Promise.race([new Promise((done) => { openers.push(() => done(null)); }), wire.sleep(OPEN_MS)]) : Promise.resolve());

    return Object.freeze({
      async ask(question, heard) {
        await ready();
        const line = socket;
        if (!line || line.readyState !== 'open' || asked) return null;
        return new Promise((done) => {
          const end = (/** @type {any} */ reply) => {
            asked = null;
            clearTimeout(late);
            done(reply);
          };
          const late = setTimeout(() => end(null), REPLY_MS);
          asked = { heard, end };
          try {
            line.send(JSON.stringify(question));
          } catch (error) {
            wire.log(`the question was not sent: ${error}`);
            end(null);
          }
        });
      },
      close() {
        const line = socket;
        socket = null;
        try {
          if (line) line.close();
        } catch (error) {
          wire.log(`closing the socket: ${error}`);
        }
      },
    });
  };

  return Object.freeze({ open });
})();
