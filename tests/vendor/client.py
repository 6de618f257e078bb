"""The vendor's Python client, unchanged: a whole set-up, a call, its history, and what goes wrong.

python client.py HOST:PORT KEY.json BAD_KEY.json STRANGE_KEY.json; prints one JSON object.
"""

import datetime
import json
import sys
import time

from voximplant.apiclient import VoximplantAPI, VoximplantException

HOST, KEY, BAD_KEY, STRANGE_KEY = sys.argv[1:]
SCRIPT = """VoxEngine.addEventListener(AppEvents.Started, () => {
  const call = VoxEngine.callPSTN(VoxEngine.customData(), '+74951234567');
  for (const end of [CallEvents.Disconnected, CallEvents.Failed]) call.addEventListener(end, () => VoxEngine.terminate());
});"""


def refused(ask):
    """The code of the exception that `ask` ends in."""
    try:
        ask()
    except VoximplantException as fault:
        return [fault.code, fault.message]
    return None


api = VoximplantAPI(KEY, endpoint=HOST)
told = {"account": api.get_account_info(return_live_balance=True)["result"]}
told["application"] = api.add_application("python")
application = told["application"]["application_id"]
scenario = api.add_scenario("python_call", SCRIPT)["scenario_id"]
rule = api.add_rule("python_rule", ".*", application_id=application)["rule_id"]
told["unbound"] = refused(lambda: api.start_scenarios(rule_id=rule))
api.bind_scenario(scenario_id=[scenario], rule_id=rule, bind=True)
api.add_secret("KEY", "value", application_id=application)
told["item"] = api.set_key_value_item("test:1", "один", application, ttl=60)
told["rules"] = api.get_rules(application_id=application, with_scenarios=True)
# A number that is busy.
told["started"] = api.start_scenarios(rule_id=rule, script_custom_data="+79990000075")
told["by_name"] = api.start_scenarios(
    rule_name="python_rule", application_id=application, script_custom_data="+79990000002"
)

now = datetime.datetime.now(datetime.timezone.utc)
hour = datetime.timedelta(hours=1)
for _ in range(200):
    found = api.get_call_history(
        from_date=now - hour,
        to_date=now + hour,
        call_session_history_id=[told["started"]["call_session_history_id"]],
        with_calls=True,
    )
    if found["result"]:
        told["session"] = found["result"][0]
        break
    time.sleep(0.05)

told["bad_rule"] = refused(lambda: api.start_scenarios(rule_id=1))
told["no_rule"] = refused(lambda: api.start_scenarios(rule_name="none", application_id=application))
told["bad_key"] = refused(VoximplantAPI(BAD_KEY, endpoint=HOST).get_account_info)
told["strange_key"] = refused(VoximplantAPI(STRANGE_KEY, endpoint=HOST).get_account_info)
# The client turns dates into objects of its own.
print(json.dumps(told, default=str, ensure_ascii=False))
