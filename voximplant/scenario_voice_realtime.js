/// <reference path="./lib/halo.js" />
/// <reference path="./lib/realtime.js" />
// Mode `realtime`, the hybrid: the realtime model hears and speaks, and fetches every reply from
// `dialog_url` through the tool `get_reply`. Without a dialogue address it talks on its own.

require(Modules.OpenAI);
// Modules that an engine may lack: then the ruler says so, and nobody is taken for a machine.
for (const module of [Modules.Silero, Modules.AMD || 'amd']) {
  try {
    require(module);
  } catch (error) {
    halo.log(`module ${module}: ${error}`);
  }
}

halo.run(realtime.talker('hybrid'));
