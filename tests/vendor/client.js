// The vendor's Node client, unchanged: a whole set-up, a call, its history, and what goes wrong.
// node client.js HOST:PORT KEY.json BAD_KEY.json STRANGE_KEY.json; prints one JSON object.
const { default: Client } = require('@voximplant/apiclient-nodejs');

const [host, key, badKey, strangeKey] = process.argv.slice(2);
const open = (pathToCredentials) => new Promise((resolve) => {
  const client = new Client({ pathToCredentials, host });
  client.onReady = () => resolve(client);
});
const script = `VoxEngine.addEventListener(AppEvents.Started, () => {
  Logger.write(VoxEngine.getSecretValue('GREETING'));
  const call = VoxEngine.callPSTN(VoxEngine.customData(), '+74951234567');
  call.addEventListener(CallEvents.Connected, () => call.hangup());
  for (const end of [CallEvents.Disconnected, CallEvents.Failed]) call.addEventListener(end, () => VoxEngine.terminate());
});`;

(async () => {
  const client = await open(key);
  const { Accounts, Applications, Scenarios, Rules, Secrets, History, KeyValueStorage } = client;
  const told = { account: (await Accounts.getAccountInfo({ returnLiveBalance: true })).result };

  // The order in which the vendor's own deployment tool asks, empty texts and all.
  await Scenarios.getScenarios({ count: 1 });
  await Applications.getApplications({ count: 1 });
  const applicationName = `node.${told.account.accountName}.voximplant.com`;
  told.application = await Applications.addApplication({ applicationName });
  const applicationId = told.application.applicationId;
  told.none = await Rules.getRules({ applicationId });
  await Scenarios.getScenarios({ scenarioName: 'node_call', withScript: true });
  const { scenarioId } = await Scenarios.addScenario({ scenarioName: 'node_call', scenarioScript: script });
  told.scenario = (await Scenarios.getScenarios({ scenarioId, withScript: true })).result[0];
  told.same = told.scenario.scenarioScript === script;
  told.rule = await Rules.addRule({
    applicationId, applicationName: '', ruleName: 'node_rule', rulePattern: '.*', scenarioName: '', scenarioId,
  });
  const { ruleId } = told.rule;
  await Scenarios.setScenarioInfo({ scenarioId, requiredScenarioName: 'node_call', scenarioScript: `${script}\n//` });
  const other = await Scenarios.addScenario({ scenarioName: 'node_other', scenarioScript: 'const OTHER = 1;' });
  await Scenarios.bindScenario({ scenarioId: [other.scenarioId], ruleId, bind: true });
  await Scenarios.reorderScenarios({ ruleId, scenarioId: [other.scenarioId, scenarioId] });
  await Rules.setRuleInfo({ ruleId, rulePattern: '7.*' });
  await Secrets.addSecret({ applicationId, secretName: 'GREETING', secretValue: 'a word' });
  told.item = await KeyValueStorage.setKeyValueItem({ applicationId, key: 'test:1', value: 'один', ttl: 60 });
  told.keys = await KeyValueStorage.getKeyValueKeys({ applicationId, key: 'test' });

  told.rules = await Rules.getRules({ applicationId, withScenarios: true });
  told.started = await Scenarios.startScenarios({ ruleId, scriptCustomData: '+79990000001' });
  const from = new Date(Date.now() - 3600_000);
  const to = new Date(Date.now() + 3600_000);
  for (let n = 0; n < 200 && !told.session; n += 1) {
    const found = await History.getCallHistory({
      fromDate: from, toDate: to, callSessionHistoryId: [told.started.callSessionHistoryId], withCalls: true,
    });
    told.session = found.result[0];
    told.counted = [found.count, found.totalCount];
    if (!told.session) await new Promise((resolve) => { setTimeout(resolve, 50); });
  }

  // Faults do not throw: whoever forgets to look does not see them.
  told.badRule = await Scenarios.startScenarios({ ruleId: 1, scriptCustomData: 'x' });
  told.unknownHistory = await History.getCallHistory({ fromDate: from, toDate: to, callSessionHistoryId: [12] });
  told.badKey = await (await open(badKey)).Accounts.getAccountInfo({});
  told.strangeKey = await (await open(strangeKey)).Accounts.getAccountInfo({});
  process.stdout.write(JSON.stringify(told));
})().catch((error) => { console.error(error); process.exitCode = 1; });
