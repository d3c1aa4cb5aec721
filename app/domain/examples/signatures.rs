//! A chain of accepted signatures, for `server/benches/signatures.sh`.
//!
//! ```text
//! cargo run -p naru-domain --example signatures -- 1000           as objects, for `naru rehearse -f`: a list a line, since a file may not have too many
//! cargo run -p naru-domain --example signatures -- 1000 export    as an exported file, for `naru verify`
//! ```

#[path = "../benches/chain/signed.rs"]
mod signed;

use naru_domain::{
    crossing::{
        SignOff,
        export::Export,
        import::{self, Step},
    },
    object::{Kind, Object},
    snapshot::Objects,
};
use serde_json::{Value, json};
use signed::{now, signed};
use std::io::{self, Write};

/// The reader of files takes a quarter of a million nodes, to be safe from those that are made to explode.
const A_FILE: usize = 200;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().and_then(|it| it.parse().ok());
    let mut all = Objects::all_known();
    for object in signed(count.expect("how many")) {
        let object = accepted(object);
        all.whole.insert(object.key().clone(), object);
    }
    let export = Export::of(&all, now(0));
    if arguments.next().is_some() {
        return out.write_all(export.text().as_bytes());
    }
    let steps = import::steps(&export, "example").expect("just written");
    for some in steps.chunks(A_FILE) {
        let items: Vec<_> = some.iter().map(whole).collect();
        writeln!(
            out,
            "{}",
            json!({"apiVersion": "v1", "kind": "List", "items": items})
        )?;
    }
    Ok(())
}

/// The object with what has become of it, which a rehearsed world takes at once.
fn whole(step: &Step) -> Value {
    let mut json = step.object.json().clone();
    if let Some(status) = &step.status {
        json["status"] = status.clone();
    }
    json
}

/// What Naru's leader would write into a signature.
fn accepted(object: Object) -> Object {
    if object.key().kind != Kind::SignOff {
        return object;
    }
    let digest = SignOff::read(&object).expect("just written").whole;
    let mut json = object.json().clone();
    json["status"] = json!({"accepted": {"at": now(0), "digest": digest}});
    Object::new(Kind::SignOff, json).expect("it was one")
}
