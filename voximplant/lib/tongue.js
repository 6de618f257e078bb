// What is said in each language, and by which voice, recogniser and detector of which provider. A voice is
// asked for as `female` or `male`, or by a provider's own full name; here is the one place that maps them.

const tongue = (() => {
  const PHRASES = {
    ru: {
      fault: 'Извините, у нас неполадки со связью. Всего доброго.',
      bye: 'Спасибо за разговор. Всего доброго.',
      recorded: 'Разговор записывается.',
      again: 'Простите, вас плохо слышно. Повторите, пожалуйста.',
      inbound: 'Здравствуйте. Вам звонил автоматический помощник. Чтобы больше не получать звонков, нажмите один.',
      optedOut: 'Хорошо, мы больше не будем вам звонить. Всего доброго.',
    },
    en: {
      fault: 'Sorry, we have technical trouble. Goodbye.',
      bye: 'Thank you for your time. Goodbye.',
      recorded: 'This call is recorded.',
      again: 'Sorry, I could not hear you well. Could you say that again?',
      inbound: 'Hello. You were called by an automatic assistant. To stop these calls, press one.',
      optedOut: 'All right, we will not call you again. Goodbye.',
    },
  };
  /** The realtime model's voices for who asks for none by name. */
  const MODEL_VOICES = { female: 'marin', male: 'cedar' };
  const MODEL_VOICE = 'cedar';

  const isRussian = (/** @type {string} */ language) => language.toLowerCase().startsWith('ru');
  /** @param {string} language */
  const phrases = (language) => (isRussian(language) ? PHRASES.ru : PHRASES.en);

  /** The language that is spoken: the grant's, or, where it says `auto`, that of the words to be said.
   * @param {{language?: string, first_phrase?: string, instructions?: string}} grant @returns {string} */
  const spoken = (grant) => {
    if (grant.language && grant.language !== 'auto') return grant.language;
    return /[а-яё]/i.test(`${grant.first_phrase || ''}${grant.instructions || ''}`) ? 'ru-RU' : 'en-US';
  };
  /** What the model is told to expect; nothing where it is to find out. @param {string} language @returns {{language?: string}} */
  const expected = (language) => (!language || language === 'auto' ? {} : { language: language.slice(0, 2) });

  /** A member of a platform's list by its dotted name. @param {any} list @param {string} path @returns {any} */
  const member = (list, path) => path.split('.').reduce((held, part) => (held ? held[part] : undefined), list);

  /** The first voice that this engine has. Without any the platform falls back to an English one.
   * @param {string | null} asked @param {string} language @returns {Voice | undefined} */
  const voice = (asked, language) => {
    const named = asked && asked.includes('.') ? member(VoiceList, asked) : undefined;
    if (named) return named;
    const male = asked === 'male';
    const { Amazon, Default, Google, Microsoft, TBank, Yandex } = VoiceList;
    const name = language.replace('-', '_');
    const own = Default && Default[`${name}_${male ? 'Male' : 'Female'}`];
    if (isRussian(language)) {
      return male
        ? (Microsoft && Microsoft.Neural.ru_RU_DmitryNeural) || (Amazon && Amazon.ru_RU_Maxim) || own
        : (TBank && TBank.ru_RU_Anna) || (Yandex && Yandex.Neural.ru_RU_alena) || own;
    }
    // Google's letters: C is a woman's voice in American English, D a man's; A and B elsewhere.
    const letter = name === 'en_US' ? (male ? 'D' : 'C') : (male ? 'B' : 'A');
    return (Google && Google[`${name}_Standard_${letter}`]) || own;
  };
  /** The realtime model's voice; a synthesis service's name means nothing to it. @param {string | null} asked @returns {string} */
  const modelVoice = (asked) => {
    if (asked === 'female' || asked === 'male') return MODEL_VOICES[asked];
    return asked && /^[a-z]+$/.test(asked) ? asked : MODEL_VOICE;
  };
  /** @param {string} language @returns {ASRProfile} */
  const recogniser = (language) => {
    const name = language.replace('-', '_');
    const { Google, Yandex } = ASRProfileList;
    const found = (name === 'ru_RU' && Yandex && Yandex.ru_RU) || (Google && Google[name]);
    if (!found) throw new Error(`no recogniser for ${language}`);
    return found;
  };
  /** The machine detector's model. @param {string} language @returns {string} */
  const detector = (language) => {
    const [spokenIn, country] = language.toUpperCase().split('-');
    if (spokenIn === 'RU') return AMD.Model.RU;
    if (spokenIn === 'EN') return country === 'PH' ? AMD.Model.PH : AMD.Model.US;
    if (spokenIn === 'KK') return AMD.Model.KZ;
    if (spokenIn === 'PT') return AMD.Model.BR;
    if (spokenIn !== 'ES') return AMD.Model.EU_GENERAL;
    return country === 'MX' || country === 'CL' || country === 'CO' || country === 'PE' ? AMD.Model[country] : AMD.Model.ES;
  };

  return Object.freeze({ phrases, spoken, expected, voice, modelVoice, recogniser, detector });
})();
