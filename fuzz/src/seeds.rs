//! The cases of the mesh model as a corpus to begin with: `cargo run --bin seeds` writes one file for each document of `end2end/lab/cases`
//! and each of its cases. Names are changed so that they concern the proxies that the target asks about.

use serde_json::{Value, json};
use std::{error::Error, fs, path::Path};

/// The cases' names, and what stands in `mesh::nonsense::sound`.
const NAMES: [(&str, &str); 5] = [
    ("case-gateway", "shop"),
    ("case-a", "shop"),
    ("case-b", "shop"),
    ("echo", "web"),
    ("caller", "web"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let into = root.join("corpus/mesh");
    fs::create_dir_all(&into)?;
    let mut files: Vec<_> = fs::read_dir(root.join("../end2end/lab/cases"))?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let mut written = 0;
    for file in files
        .iter()
        .filter(|it| it.extension().is_some_and(|it| it == "yaml"))
    {
        let mut text = fs::read_to_string(file)?;
        for (theirs, ours) in NAMES {
            text = text.replace(theirs, ours);
        }
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        for document in serde_saphyr::from_multiple::<Value>(&text)? {
            for bytes in seeds(&document)? {
                fs::write(into.join(format!("{stem}-{written:04}")), bytes)?;
                written += 1;
            }
        }
    }
    eprintln!("{written} files in {}", into.display());
    Ok(())
}

/// A document of cases gives its objects with each request; any other is an object itself.
fn seeds(document: &Value) -> Result<Vec<Vec<u8>>, serde_json::Error> {
    let Some(cases) = document.get("cases").and_then(Value::as_array) else {
        return Ok(vec![serde_json::to_vec(&json!([document]))?]);
    };
    let pods = cases.iter().filter_map(|case| case.get("pod"));
    let pods = pods.map(|it| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop",
            "labels": it.get("labels"), "annotations": it.get("annotations")}, "spec": it.get("spec")})
    });
    let objects = document
        .get("objects")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let objects = serde_json::to_vec(&objects.into_iter().chain(pods).collect::<Vec<_>>())?;
    Ok(cases
        .iter()
        .map(|case| [objects.as_slice(), b"\0", lines(case).as_bytes()].concat())
        .collect())
}

/// As `input::asked` reads them.
fn lines(case: &Value) -> String {
    let text = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or("");
    let port = text("to").rsplit_once(':').map_or("", |(_, port)| port);
    let (host, protocol, sni) = (text("host"), text("protocol"), text("sni"));
    let mut lines: Vec<String> = [
        host,
        port,
        protocol,
        sni,
        text("method"),
        text("path"),
        "",
        text("subset"),
        "",
    ]
    .map(String::from)
    .into();
    let headers = case.get("headers").and_then(Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        lines.push(format!("{name}: {}", value.as_str().unwrap_or("")));
    }
    lines.join("\n")
}
