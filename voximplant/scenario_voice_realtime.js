/// <reference path="./lib/halo.js" />
/// <reference path="./lib/realtime.js" />
// Mode `realtime`, the hybrid: the realtime model hears and speaks, and fetches every reply from
// `dialog_url` through the tool `get_reply`. Without a dialogue address it talks on its own.

require(Modules.OpenAI);

halo.run(realtime.talker('hybrid'));
