/// <reference path="./lib/halo.js" />
/// <reference path="./lib/media.js" />
// Mode `realtime_stream`: the call's audio goes to our own backend, which talks to the realtime model.

halo.run(media.talker());
