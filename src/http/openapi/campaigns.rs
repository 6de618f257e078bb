//! Campaigns, their lists and their settings.

use super::paper::{Operation, Paper};
use super::shapes::*;
use super::values::{bytes, one_of, text, whole, yes_no};
use crate::http::export::What;
use crate::http::export::sheet::Format;
use serde_json::{Value, json};

/// How a file is to be read; what nobody says is found by looking.
fn shaped(operation: Operation<'_>) -> Operation<'_> {
    operation
        .query("encoding", text(), "As WHATWG names it: `utf-8`, `windows-1251`.")
        .query("delimiter", text(), "`comma`, `semicolon`, `tab`, `pipe`, or one character.")
        .query("quote", one_of(&["double", "single", "none"]), "What stands around a cell.")
        .query("header", yes_no(), "Does the first row name the columns?")
        .query("sheet", text(), "A sheet of a workbook.")
        .query("again", yes_no(), "Take the list in though it came before.")
        .refuses(&[422])
}

/// A form with a list, and what stands beside it.
fn form(needed: &[&str], fields: &[(&str, &str)]) -> (&'static str, Value) {
    let mut properties = json!({});
    for (name, told) in fields {
        let mut field = if *name == "contacts" { bytes() } else { text() };
        field["description"] = json!(told);
        properties[*name] = field;
    }
    let schema = json!({
        "type": "object", "required": needed, "properties": properties, "additionalProperties": false,
    });
    ("multipart/form-data", schema)
}

const CONTACTS: (&str, &str) = ("contacts", "The list: CSV or XLSX, packed by gzip or not.");
const SETTINGS: (&str, &str) = ("settings", "campaign.toml, or the same as JSON.");
const SCRIPT: (&str, &str) = ("script", "script.toml, or the same as JSON; a short greeting when absent.");

fn list() -> [(&'static str, Value); 2] {
    let rows = json!({
        "type": "array", "minItems": 1,
        "items": { "type": "object", "additionalProperties": true },
        "description": "Rows, each with `phone` and whatever else a list may say.",
        "example": [{ "phone": "+79990000001", "name": "Anna" }],
    });
    [("text/csv", bytes()), ("application/json", rows)]
}

pub(super) fn describe(paper: &mut Paper) {
    paper.topic("Campaigns", "A campaign is contacts, a mode or a split between modes, and rules of calling.");
    paper
        .get("/api/v1/campaigns", "listCampaigns", "Campaigns, the newest first")
        .page(1000)
        .answers_many::<Campaign>("A page of them.")
        .links();
    let made = paper
        .post("/api/v1/campaigns", "createCampaign", "A campaign and its first list")
        .says("All accepted rows or none. The same list with the same settings is answered as before, with `again`.")
        .takes_any(&[form(&["settings", "contacts"], &[SETTINGS, CONTACTS, SCRIPT])]);
    keyed(shaped(made))
        .answers::<Imported>(201, "It is stored.")
        .answers::<Imported>(200, "It came before: the first answer again.")
        .refuses(&[409]);
    let check = paper
        .post("/api/v1/campaigns/check", "checkList", "What would become of a list; nothing is stored")
        .query("region", text(), "How national numbers are read where no settings say; `RU` when absent.")
        .takes_any(&[form(&["contacts"], &[CONTACTS, SETTINGS, SCRIPT]), ("text/csv", bytes())]);
    shaped(check).answers::<ListCheck>(200, "What it would come to.");
    paper
        .get("/api/v1/campaigns/{campaign}", "showCampaign", "One campaign, and what stands against a run of it")
        .answers::<Campaign>(200, "The campaign.");
    paper
        .get("/api/v1/campaigns/{campaign}/settings", "showSettings", "The settings, and every version before them")
        .answers::<SettingsNow>(200, "The settings.")
        .tells(200, "ETag", "The version, for `If-Match`.");
    paper
        .patch("/api/v1/campaigns/{campaign}/settings", "changeSettings", "Settings that change while a campaign lives")
        .says("The patch is merged, the whole is validated, and every node obeys from its next look on.")
        .header("If-Match", text(), "The `ETag` that was read: refused with 412 where somebody was faster.")
        .takes::<SettingsPatch>(true, json!({ "dial": { "cps": 2.0 }, "by": "anna", "reason": "fewer lines tonight" }))
        .answers::<SettingsChanged>(200, "They hold from now on.")
        .tells(200, "ETag", "The version that holds now.")
        .refuses(&[409, 412, 415, 422]);
    let clone = paper
        .post("/api/v1/campaigns/{campaign}/clone", "cloneCampaign", "A campaign made of another, without its runs")
        .takes::<CloneOrder>(true, json!({ "name": "demo again", "keep_arms": true }))
        .answers::<Cloned>(201, "It is there.")
        .refuses(&[409, 422]);
    keyed(clone);
    paper
        .get(
            "/api/v1/campaigns/{campaign}/preview",
            "previewCampaign",
            "What each mode would be told of the first contact",
        )
        .answers::<Preview>(200, "Every mode of this installation.");
    paper
        .get(
            "/api/v1/campaigns/{campaign}/outlook",
            "outlook",
            "What a run would come to: whom, when, how long, for how much",
        )
        .answers::<Outlook>(200, "The outlook.");
    paper
        .get("/api/v1/campaigns/{campaign}/prove", "proveCampaign", "The tables held against the laws of dialling")
        .answers::<Proof>(200, "Every law, and whether it holds.");
    paper.get("/api/v1/modes", "listModes", "The modes of this installation").answers::<Modes>(200, "Each of them.");
    paper
        .get(
            "/api/v1/policies",
            "listPolicies",
            "Policies: their rules, where these are written, what they do not see to",
        )
        .answers_many::<Policy>("Each of them.")
        .never(&[503]);
    paper
        .get("/api/v1/schedules", "listSchedules", "Plans that start runs")
        .page(1000)
        .answers_many::<Schedule>("A page of them.")
        .links();
    contacts(paper);
    exports(paper);
}

/// The header that makes a request safe to repeat.
pub(super) fn keyed(operation: Operation<'_>) -> Operation<'_> {
    let key = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
    operation
        .header(
            "Idempotency-Key",
            key,
            "The same key and the same request: the first answer again, and nothing is done twice.",
        )
        .refuses(&[400, 409, 422])
}

fn contacts(paper: &mut Paper) {
    paper.topic("Contacts and lists", "People of a campaign, and the lists they came with.");
    paper
        .get(
            "/api/v1/campaigns/{campaign}/contacts",
            "listContacts",
            "People of a campaign, in the order of their lists",
        )
        .page(1000)
        .answers::<Contacts>(200, "A page of them.")
        .links();
    let [csv, rows] = list();
    let append = paper
        .post("/api/v1/campaigns/{campaign}/contacts", "appendContacts", "A further list")
        .says("It joins the open run, or waits for the next one; the answer says which.")
        .takes_any(&[form(&["contacts"], &[CONTACTS]), csv.clone(), rows.clone()]);
    keyed(shaped(append))
        .answers::<Appended>(201, "It is stored.")
        .answers::<Appended>(200, "It came before: nothing was stored now.");
    let check = paper
        .post("/api/v1/campaigns/{campaign}/check", "checkFurtherList", "What would become of a further list")
        .takes_any(&[form(&["contacts"], &[CONTACTS]), csv, rows]);
    shaped(check).answers::<ListCheck>(200, "What it would come to.");
    paper
        .get("/api/v1/uploads/{key}/events", "followUpload", "How far an upload is, until it is over")
        .events::<UploadProgress>("Events `progress`.")
        .never(&[503]);
    paper
        .get("/api/v1/template.csv", "template", "A list to begin with")
        .query("language", one_of(&["", "en", "ru"]), "Of its header and its hints.")
        .sends(200, "text/csv", text(), "The list.")
        .never(&[503]);
    for (path, id, told) in [
        (
            "/api/v1/campaigns/{campaign}/contacts/{contact}/why",
            "whyInCampaign",
            "Why somebody of a campaign is not called now",
        ),
        ("/api/v1/contacts/{contact}/why", "why", "Why somebody is not called right now, and when that will be"),
    ] {
        paper.get(path, id, told).answers::<Why>(200, "The reason.").refuses(&[409]);
    }
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv",
        Format::Ndjson => "application/x-ndjson",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
}

fn exports(paper: &mut Paper) {
    paper.topic("Exports", "What the tables hold, to take away; docs/LISTS.md tells the columns.");
    let mut export = |path: String, id: String, told: String, format: Format, with_list: bool| {
        let asked = paper
            .get(&path, &id, &told)
            .query("delimiter", one_of(&["comma", "semicolon", "tab", "pipe"]), "Of CSV.")
            .query("mark", yes_no(), "CSV begins with a byte-order mark, which spreadsheets like.")
            .refuses(&[422]);
        let asked = asked.query(
            "list",
            whole(),
            if with_list { "Of this list alone, counted from 1." } else { "Of rejects and notes alone." },
        );
        let schema = if format == Format::Xlsx { bytes() } else { text() };
        asked.sends(200, media_type(format), schema, "A row each, streamed.");
    };
    for what in What::ALL {
        for format in Format::ALL {
            let (name, ending) = (what.as_str(), format.as_str());
            let path = format!("/api/v1/campaigns/{{campaign}}/{name}.{ending}");
            let with_list = matches!(what, What::Rejects | What::Notes);
            export(
                path,
                format!("export_{name}_{ending}"),
                format!("The campaign's {name} as {ending}"),
                format,
                with_list,
            );
        }
    }
    for format in Format::ALL {
        let ending = format.as_str();
        let path = format!("/api/v1/suppressions.{ending}");
        export(
            path,
            format!("export_suppressions_{ending}"),
            format!("The suppression list as {ending}"),
            format,
            false,
        );
    }
}
