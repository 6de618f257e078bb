/// <reference path="./tongue.js" />
/// <reference path="./wire.js" />
// People ring back: they are told who called and how to stop it. Nobody is ever dialled from here.

const inbound = (() => {
  /** After the words were said, for a key to be pressed. */
  const WAIT_MS = 6000;
  const AFTER_OPT_OUT_MS = 500;
  const CALL_MS = 60000;
  const DRAIN_MS = 20000;

  /** Says who called, takes an opt-out, reports both. @param {CallAlertingEvent} event @param {string} session @returns {Call} */
  const take = (event, session) => {
    const call = event.call;
    const from = String(event.callerid || call.callerid() || '');
    const language = from.replace('+', '').startsWith('7') ? 'ru-RU' : 'en-US';
    const said = tongue.phrases(language);
    const options = { voice: tongue.voice(null, language) };
    const url = VoxEngine.getSecretValue('HALO_BACKEND_URL');
    const token = VoxEngine.getSecretValue('HALO_INBOUND_TOKEN');
    if (!url || !token) wire.log('nobody is told of this call: a secret is missing');
    let over = false;
    const tell = (/** @type {string} */ what) => (url && token
      ? wire.deliver(`${url}/voximplant/inbound`, token, { session_id: session, from, event: what }, () => true)
      : Promise.resolve(false));
    let told = tell('Rang');
    let optedOut = false;
    const end = async () => {
      if (over) return;
      over = true;
      await Promise.race([told, wire.sleep(DRAIN_MS)]);
      VoxEngine.terminate();
    };
    call.addEventListener(CallEvents.Connected, () => { call.handleTones(true); call.say(said.inbound, options); });
    call.addEventListener(CallEvents.ToneReceived, (tone) => {
      if (tone.tone !== '1' || optedOut) return;
      optedOut = true;
      told = Promise.all([told, tell('OptOut')]).then(() => true);
      call.say(said.optedOut, options);
    });
    let heard = 0;
    call.addEventListener(CallEvents.PlaybackFinished, () => {
      heard += 1;
      const nth = heard;
      setTimeout(() => { if (heard === nth && !over) call.hangup(); }, optedOut ? AFTER_OPT_OUT_MS : WAIT_MS);
    });
    call.addEventListener(CallEvents.Disconnected, end);
    call.addEventListener(CallEvents.Failed, end);
    setTimeout(() => { if (!over) { call.hangup(); end(); } }, CALL_MS);
    call.answer();
    return call;
  };

  return Object.freeze({ take });
})();
