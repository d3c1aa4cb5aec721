//! The API server, by kubectl.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// A kubectl with its options.
#[derive(Clone, Debug)]
pub struct Kubectl(Vec<String>);

impl Kubectl {
    /// From a command line without quotes, such as `kubectl --kubeconfig FILE`.
    pub fn new(line: &str) -> Self {
        Self(line.split_whitespace().map(str::to_owned).collect())
    }

    pub(super) fn get(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["-o", "json"]);
        Ok(items(self.run(&arguments, None)?))
    }

    /// Objects as they are stored.
    pub(super) fn apply(&self, objects: &[Value]) -> Result<Vec<Value>> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        Ok(items(self.run(
            &["apply", "-o", "json", "-f", "-"],
            Some(&list(objects)),
        )?))
    }

    pub(super) fn delete(&self, objects: &[Value]) -> Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let arguments = [
            "delete",
            "--ignore-not-found",
            "--wait=false",
            "-o",
            "name",
            "-f",
            "-",
        ];
        self.text(&arguments, Some(&list(objects))).map(drop)
    }

    /// Deletes whatever carries a label.
    pub(super) fn forget(&self, label: &str, kinds: &str) -> Result<()> {
        self.text(&["delete", "-A", "-l", label, "-o", "name", kinds], None)
            .map(drop)
    }

    pub(super) fn dry_run(&self, object: &Value) -> Result<Value> {
        self.run(
            &["create", "--dry-run=server", "-o", "json", "-f", "-"],
            Some(object),
        )
    }

    fn run(&self, arguments: &[&str], input: Option<&Value>) -> Result<Value> {
        let text = self.text(arguments, input)?;
        serde_json::from_str(&text).with_context(|| format!("kubectl {}", arguments.join(" ")))
    }

    fn text(&self, arguments: &[&str], input: Option<&Value>) -> Result<String> {
        let (program, options) = self.0.split_first().context("no kubectl")?;
        let mut child = Command::new(program)
            .args(options)
            .arg("--request-timeout=30s")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(input.to_string().as_bytes())?;
        }
        let out = child.wait_with_output()?;
        if !out.status.success() {
            bail!(
                "kubectl {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&out.stderr)
            );
        }
        Ok(String::from_utf8(out.stdout)?)
    }
}

fn list(objects: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": objects})
}

fn items(mut answer: Value) -> Vec<Value> {
    match answer.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) => std::mem::take(items),
        None => vec![answer],
    }
}
