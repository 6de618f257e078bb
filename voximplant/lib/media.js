// The talker of the stream mode: the call's audio goes to our own backend and the agent's comes from it,
// over one WebSocket, opened while it rings. What the model hears and says comes back in words of our own
// (`customEvent`), so that this mode is measured and reported as the others are.

const media = (() => {
  /** How the callee's audio is sent, and how the agent's is asked for: as it lies on a telephone line. */
  const ENCODING = WebSocketAudioEncoding.ULAW;
  /** The model has this long to finish its goodbye. */
  const GOODBYE_MS = 15000;
  /** The end is told by our backend, which does not see how far the platform has played. */
  const END_MS = 300;

  /** @returns {Talker} */
  const talker = () => {
    /** @type {VoxSocket | null} */
    let socket = null;
    let open = false;
    let connected = false;
    let started = false;
    let ending = false;
    /** The turn that the response under way answers. */
    let answers = 0;

    /** @param {Session} s */
    const begin = (s) => {
      if (started || !open || !connected || !socket || s.over || s.leaving) return;
      started = true;
      socket.sendMediaTo(s.call);
      s.ruler.hearAgent(socket);
      s.listen(socket, { encoding: ENCODING, tag: 'callee' });
      socket.send(JSON.stringify({ customEvent: 'begin', greeting: s.greeting }));
    };

    /** @param {Session} s @param {VoxSocket} made @param {any} told */
    const hear = (s, made, told) => {
      if (told.customEvent === 'callee') {
        const text = String(told.text || '').trim();
        if (text === '') return;
        if (s.over) s.ruler.lastWord(text); else s.ruler.calleeText(text);
        return;
      }
      if (s.over) return;
      switch (told.customEvent) {
        case 'callee_began':
          s.ruler.vendorCalleeBegan();
          if (!s.leaving) made.clearMediaBuffer();
          break;
        case 'callee_ended':
          s.ruler.vendorCalleeEnded(typeof told.silence_ms === 'number' ? told.silence_ms : null);
          break;
        case 'response':
          answers = s.ruler.turns();
          s.ruler.modelBegins();
          break;
        case 'agent':
          s.ruler.agentText(String(told.text || ''), answers);
          break;
        case 'verdict':
          s.note(told);
          if (ending) break;
          ending = true;
          s.leaving = true;
          s.after(() => s.hangUp('agent'), GOODBYE_MS);
          break;
        case 'end':
          s.after(() => s.hangUp('agent'), END_MS);
          break;
        case 'fault':
          s.fail('model', told.reason);
          break;
        default:
      }
    };

    /** @param {Session} s @param {VoxSocket} made */
    const attend = (s, made) => {
      /** @param {unknown} why The backend's own connection, and not the model's. */
      const lost = (why) => {
        if (socket !== made || s.over) return;
        socket = null;
        s.fail('replier', why);
      };
      made.addEventListener(WebSocketEvents.OPEN, () => {
        open = true;
        begin(s);
      });
      made.addEventListener(WebSocketEvents.MESSAGE, (event) => {
        try {
          hear(s, made, JSON.parse(event.text) || {});
        } catch (error) {
          s.fail('scenario', error);
        }
      });
      made.addEventListener(WebSocketEvents.MEDIA_STARTED, () => { if (!s.over) s.ruler.vendorAgentBegan(); });
      made.addEventListener(WebSocketEvents.MEDIA_ENDED, () => { if (!s.over) s.ruler.vendorAgentEnded(0); });
      made.addEventListener(WebSocketEvents.CLOSE, (event) => lost(`the stream was closed: ${event.code} ${event.reason}`));
      made.addEventListener(WebSocketEvents.ERROR, (event) => lost(`the stream broke: ${event.reason}`));
    };

    return {
      fault: 'model',
      unready: () => null,

      dialled(s) {
        if (!s.grant.media_url) {
          s.fail('model', 'the grant names no media_url: the backend has no key');
          return;
        }
        const headers = [{ name: 'Authorization', value: `Bearer ${s.grant.event_token}` }];
        socket = VoxEngine.createWebSocket(`${s.grant.media_url}&encoding=${ENCODING}`, { headers, privacy: true });
        attend(s, socket);
      },

      connected(s) {
        connected = true;
        begin(s);
      },

      close() {
        const closing = socket;
        socket = null;
        if (closing) closing.close();
      },
    };
  };

  return Object.freeze({ talker });
})();
