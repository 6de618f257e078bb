/// <reference path="./lib/halo.js" />
/// <reference path="./lib/realtime.js" />
// Mode `realtime_pure`: the whole script stands in the model's instructions; it ends the call with the
// tool `end_call`.

require(Modules.OpenAI);

halo.run(realtime.talker('pure'));
