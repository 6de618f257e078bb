//! The document while it is written: operations one after the other, schemas as they are first named.
//!
//! What holds for every operation of a kind is said here once: who is refused, and with which status.

use crate::domain::Role;
use crate::http::ROLES;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Answered by every operation that is asked with a key.
const KEYED: &[u16] = &[401, 429];
/// Answered by everything that asks the store.
const TROUBLE: &[u16] = &[500, 503];

/// What a status means, where an operation says nothing else.
fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The address, a query or the body cannot be read.",
        401 => "A bearer token is missing or wrong, or its key is over.",
        403 => "The key may not do this: `x-least-role` names the least role that may.",
        404 => "There is no such thing.",
        409 => "It stands so that this cannot be done now.",
        410 => "It is over, and does not come back.",
        412 => "It was changed meanwhile: read it again.",
        413 => "The body is too large.",
        415 => "The body is of a type that is not read here.",
        416 => "The range lies outside.",
        422 => "It was read and refused: `faults` says why, each fault in a line.",
        426 => "The connection is no WebSocket.",
        429 => "Too many wrong keys came from this address.",
        500 => "The server failed; its log says why.",
        502 => "The provider failed.",
        503 => "Nothing can be kept at the moment, or too many ask at once: try again.",
        _ => "Refused.",
    }
}

#[derive(Default)]
pub(super) struct Paper {
    paths: Map<String, Value>,
    schemas: BTreeMap<String, Value>,
    /// Two shapes of one name: the document would speak of one of them only.
    clashes: Vec<String>,
    tags: Vec<Value>,
    examples: Value,
}

impl Paper {
    /// `examples`: answers by the name of their operation.
    pub fn with(examples: Value) -> Self {
        Paper { examples, ..Paper::default() }
    }

    /// What follows speaks of this.
    pub fn topic(&mut self, name: &'static str, told: &'static str) {
        self.tags.push(json!({ "name": name, "description": told }));
    }

    /// A schema by its name; what it names comes with it.
    pub fn schema<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut all = Vec::new();
        T::schemas(&mut all);
        all.push((name.clone(), T::schema()));
        for (name, schema) in all {
            self.keep(name, serde_json::to_value(schema).expect("a schema is made of texts and numbers"));
        }
        named(&name)
    }

    /// A schema that is written down elsewhere.
    pub fn keep(&mut self, name: String, schema: Value) {
        match self.schemas.get(&name) {
            Some(there) if *there != schema => self.clashes.push(name),
            Some(_) => {}
            None => drop(self.schemas.insert(name, schema)),
        }
    }

    pub fn get(&mut self, path: &str, id: &str, told: &str) -> Operation<'_> {
        self.operation("get", path, id, told)
    }
    pub fn post(&mut self, path: &str, id: &str, told: &str) -> Operation<'_> {
        self.operation("post", path, id, told)
    }
    pub fn put(&mut self, path: &str, id: &str, told: &str) -> Operation<'_> {
        self.operation("put", path, id, told)
    }
    pub fn patch(&mut self, path: &str, id: &str, told: &str) -> Operation<'_> {
        self.operation("patch", path, id, told)
    }
    pub fn delete(&mut self, path: &str, id: &str, told: &str) -> Operation<'_> {
        self.operation("delete", path, id, told)
    }

    fn operation(&mut self, method: &'static str, path: &str, id: &str, told: &str) -> Operation<'_> {
        let tag = self.tags.last().map_or(Value::Null, |tag| tag["name"].clone());
        let mut operation = json!({ "tags": [tag], "operationId": id, "summary": told, "parameters": [] });
        operation["responses"] = json!({});
        let item = self.paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        if item.get(method).is_some() {
            self.clashes.push(format!("{method} {path}"));
        }
        item[method] = operation;
        let mut made = Operation { paper: self, path: path.to_owned(), method, id: id.to_owned() };
        made.at()["security"] = json!([{ "key": [] }]);
        let names: Vec<&str> = path.split('/').filter_map(|piece| piece.strip_prefix('{')?.split('}').next()).collect();
        for name in &names {
            made.parameter("path", name, true, super::values::of_path(path, name), "");
        }
        let mut made =
            made.refuses(KEYED).refuses(TROUBLE).tells(429, "Retry-After", "Seconds until keys are heard again.");
        let below = path.strip_prefix("/api/v1").unwrap_or(path);
        let row = ROLES.iter().find(|row| row.path == below && row.method.eq_ignore_ascii_case(method));
        if let Some(row) = row {
            made.at()["x-least-role"] = json!(row.least);
        }
        // A viewer's key is the least that there is.
        let made = if row.is_some_and(|row| row.least > Role::Viewer) { made.refuses(&[403]) } else { made };
        if names.is_empty() { made } else { made.refuses(&[400, 404]) }
    }

    /// The whole, and what is wrong with it.
    pub fn end(self, head: Value) -> (Value, Vec<String>) {
        let mut document = head;
        document["tags"] = self.tags.into();
        document["paths"] = self.paths.into();
        document["components"]["schemas"] = self.schemas.into_iter().collect::<Map<_, _>>().into();
        (document, self.clashes)
    }
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// One of them, while it is written.
pub(super) struct Operation<'a> {
    paper: &'a mut Paper,
    path: String,
    method: &'static str,
    id: String,
}

impl Operation<'_> {
    fn at(&mut self) -> &mut Value {
        &mut self.paper.paths[&self.path][self.method]
    }

    fn parameter(&mut self, place: &str, name: &str, required: bool, schema: Value, told: &str) {
        let mut parameter = json!({ "name": name, "in": place, "required": required, "schema": schema });
        let told = if told.is_empty() { schema["description"].as_str().unwrap_or_default() } else { told };
        parameter["description"] = json!(told);
        if let Some(parameters) = self.at()["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
    }

    /// More than its summary.
    pub fn says(mut self, told: &'static str) -> Self {
        self.at()["description"] = json!(told);
        self
    }

    /// Asked without a key.
    pub fn open(mut self) -> Self {
        self.at()["security"] = json!([]);
        self.never(&[401, 429])
    }

    /// Asked with a key, or by a neighbour without one.
    pub fn half_open(mut self) -> Self {
        self.at()["security"] = json!([{}, { "key": [] }]);
        self.never(&[429])
    }

    /// Asked with a secret of the provider's side.
    pub fn with(mut self, scheme: &'static str) -> Self {
        self.at()["security"] = json!([{ scheme: [] }]);
        self.never(&[429])
    }

    pub fn query(mut self, name: &'static str, schema: Value, told: &'static str) -> Self {
        self.parameter("query", name, false, schema, told);
        self.refuses(&[400])
    }

    pub fn needs_query(mut self, name: &'static str, schema: Value, told: &'static str) -> Self {
        self.parameter("query", name, true, schema, told);
        self.refuses(&[400])
    }

    pub fn header(mut self, name: &'static str, schema: Value, told: &'static str) -> Self {
        self.parameter("header", name, false, schema, told);
        self
    }

    /// A page of a list: where it begins and how long it is.
    pub fn page(self, limit_max: i64) -> Self {
        let limit = json!({ "type": "integer", "format": "int64" });
        self.query("after", json!({ "type": "string" }), "`next` of the page before, or the last id of it.")
            .query("limit", limit, "Entries of a page. What lies outside of the bounds is taken for the nearest bound.")
            .bounded(limit_max)
    }

    fn bounded(mut self, limit_max: i64) -> Self {
        if let Some(parameters) = self.at()["parameters"].as_array_mut()
            && let Some(limit) = parameters.last_mut()
        {
            let told =
                format!("Entries of a page, 1 to {limit_max}; what lies outside is taken for the nearest bound.");
            limit["description"] = told.into();
        }
        self
    }

    /// A body of JSON; `example` is one that is taken.
    pub fn takes<T: ToSchema>(mut self, required: bool, example: Value) -> Self {
        let schema = self.paper.schema::<T>();
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        self.at()["requestBody"] = json!({ "required": required, "content": content });
        self.refuses(&[400, 413])
    }

    /// Bodies of other kinds: type and schema each.
    pub fn takes_any(mut self, kinds: &[(&str, Value)]) -> Self {
        let content: Map<String, Value> =
            kinds.iter().map(|(kind, schema)| ((*kind).to_owned(), json!({ "schema": schema }))).collect();
        self.at()["requestBody"] = json!({ "required": true, "content": content });
        self.refuses(&[400, 413])
    }

    /// Another kind of body beside the first.
    pub fn also_takes(mut self, kind: &str, schema: Value) -> Self {
        self.at()["requestBody"]["content"][kind] = json!({ "schema": schema });
        self
    }

    fn answer(mut self, status: u16, told: &str, kind: &str, schema: Value) -> Self {
        let mut content = json!({ "schema": schema });
        if let Some(example) = self.paper.examples.get(&self.id).filter(|_| status < 300 && kind == "application/json")
        {
            content["example"] = example.clone();
        }
        self.at()["responses"][status.to_string()] = json!({ "description": told, "content": { kind: content } });
        self
    }

    /// An answer of JSON.
    pub fn answers<T: ToSchema>(self, status: u16, told: &'static str) -> Self {
        let schema = self.paper.schema::<T>();
        self.answer(status, told, "application/json", schema)
    }

    /// A list of JSON.
    pub fn answers_many<T: ToSchema>(self, told: &'static str) -> Self {
        let items = self.paper.schema::<T>();
        self.answer(200, told, "application/json", json!({ "type": "array", "items": items }))
    }

    /// Answers of other kinds.
    pub fn sends(self, status: u16, kind: &str, schema: Value, told: &str) -> Self {
        self.answer(status, told, kind, schema)
    }

    /// One of several kinds.
    pub fn sends_any(mut self, status: u16, kinds: &[&str], schema: Value, told: &str) -> Self {
        let content: Map<String, Value> =
            kinds.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": schema }))).collect();
        self.at()["responses"][status.to_string()] = json!({ "description": told, "content": content });
        self
    }

    /// Done, and nothing to tell.
    pub fn done(mut self, status: u16, told: &'static str) -> Self {
        self.at()["responses"][status.to_string()] = json!({ "description": told });
        self
    }

    /// Server-sent events; `T` is the data of each.
    pub fn events<T: ToSchema>(self, told: &'static str) -> Self {
        self.paper.schema::<T>();
        let of = named(&T::name());
        let data = json!({ "type": "string", "contentMediaType": "application/json", "contentSchema": of });
        let text = json!({ "type": "string" });
        // The shape of each event.
        let schema = json!({
            "type": "object", "required": ["data"], "properties": { "event": text, "id": text, "data": data },
        });
        self.answer(200, told, "text/event-stream", schema)
    }

    /// A header of an answer.
    pub fn tells(mut self, status: u16, header: &'static str, told: &'static str) -> Self {
        let headers = &mut self.at()["responses"][status.to_string()]["headers"];
        headers[header] = json!({ "description": told, "schema": { "type": "string" } });
        self
    }

    /// The header that names the next page.
    pub fn links(self) -> Self {
        self.tells(200, "Link", "`<address>; rel=\"next\"` where there is more (RFC 8288).")
    }

    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        let problem = self.paper.schema::<super::shapes::Problem>();
        for status in statuses {
            let content = json!({ "application/problem+json": { "schema": problem } });
            self.at()["responses"][status.to_string()] = json!({ "description": meaning(*status), "content": content });
        }
        self
    }

    /// What was said for all of its kind does not hold for this one.
    pub fn never(mut self, statuses: &[u16]) -> Self {
        if let Some(responses) = self.at()["responses"].as_object_mut() {
            statuses.iter().for_each(|status| drop(responses.shift_remove(&status.to_string())));
        }
        self
    }
}
