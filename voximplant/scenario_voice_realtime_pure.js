/// <reference path="./lib/halo.js" />
/// <reference path="./lib/realtime.js" />
// Mode `realtime_pure`: the whole script stands in the model's instructions; it ends the call with the
// tool `end_call`.

require(Modules.OpenAI);
// Modules that an engine may lack: then the ruler says so, and nobody is taken for a machine.
for (const module of [Modules.Silero, Modules.AMD || 'amd']) {
  try {
    require(module);
  } catch (error) {
    halo.log(`module ${module}: ${error}`);
  }
}

halo.run(realtime.talker('pure'));
