/// <reference path="./lib/halo.js" />
// The smallest real call: plays the first phrase and hangs up. In the control panel it is
// OutboundCallWithAI, the name that set-up guides of this project have used from the beginning.

halo.run({
  fault: 'speech',
  async connected(s) {
    const how = s.greeting === '' ? 'finished' : await s.speak(s.greeting);
    if (how === 'failed') s.fail('speech', 'the phrase was not played');
    else if (!s.leaving) {
      s.note({ goal: how === 'finished' });
      s.hangUp('agent');
    }
  },
});
