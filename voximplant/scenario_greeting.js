/// <reference path="./lib/halo.js" />
// The smallest real call: plays the first phrase and hangs up. In the control panel it is
// OutboundCallWithAI, the name that set-up guides of this project have used from the beginning.

// Modules that an engine may lack: then the ruler says so, and nobody is taken for a machine.
for (const module of [Modules.Silero, Modules.AMD || 'amd']) {
  try {
    require(module);
  } catch (error) {
    halo.log(`module ${module}: ${error}`);
  }
}

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
