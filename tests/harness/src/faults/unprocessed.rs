//! Batches of DynamoDB of which some items are left: the service answers so under load.

use bytes::Bytes;
use hyper::{Request, Response};
use serde_json::{Map, Value};

use super::answers::target;

/// The items held back, as the answer names them.
pub(super) struct Held {
    /// `UnprocessedItems` or `UnprocessedKeys`.
    field: &'static str,
    items: Map<String, Value>,
}

/// Takes items out of a batch by `holds`, given each item's number, and makes the request for the
/// rest; `None` when this is no batch or nothing would be held back. One item always goes.
pub(super) fn hold_back(
    request: &Request<Bytes>,
    holds: impl Fn(usize) -> bool,
) -> Option<(Request<Bytes>, Held)> {
    let (field, keys) = match target(request)?.rsplit_once('.')?.1 {
        "BatchWriteItem" => ("UnprocessedItems", false),
        "BatchGetItem" => ("UnprocessedKeys", true),
        _ => return None,
    };
    let mut body: Value = serde_json::from_slice(request.body()).ok()?;
    let tables = body.get_mut("RequestItems")?.as_object_mut()?;
    let mut number = 0;
    let mut items = Map::new();
    for (table, asked) in tables.iter_mut() {
        let list = if keys { asked.get_mut("Keys")? } else { &mut *asked };
        let (mut held, mut sent) = (Vec::new(), Vec::new());
        for item in list.as_array_mut()?.drain(..) {
            let holds = number > 0 && holds(number);
            if holds {
                held.push(item)
            } else {
                sent.push(item)
            }
            number += 1;
        }
        *list = Value::Array(sent);
        if held.is_empty() {
            continue;
        }
        let mut left = asked.clone();
        match keys {
            true => left["Keys"] = Value::Array(held),
            false => left = Value::Array(held),
        }
        items.insert(table.clone(), left);
    }
    if items.is_empty() {
        return None;
    }
    tables.retain(|_, asked| {
        let list = if keys { &asked["Keys"] } else { asked };
        list.as_array().is_some_and(|list| !list.is_empty())
    });
    let mut sent = request.clone().map(|_| Bytes::from(body.to_string()));
    let length = sent.body().len();
    sent.headers_mut().insert("content-length", length.into());
    Some((sent, Held { field, items }))
}

impl Held {
    /// Adds what was held back to the answer; an error stays as it is.
    pub(super) fn into_answer(self, answer: Response<Bytes>) -> Response<Bytes> {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(answer.body()) else {
            return answer;
        };
        if !answer.status().is_success() {
            return answer;
        }
        let left = body.entry(self.field).or_insert_with(|| Value::Object(Map::new()));
        for (table, asked) in self.items {
            match (left.get_mut(&table), asked) {
                (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
                (_, asked) => left[table] = asked,
            }
        }
        let mut answer = answer.map(|_| Bytes::from(Value::Object(body).to_string()));
        let length = answer.body().len();
        let headers = answer.headers_mut();
        // A checksum of the answer as it was.
        headers.remove("x-amz-crc32");
        headers.remove("transfer-encoding");
        headers.insert("content-length", length.into());
        answer
    }
}
