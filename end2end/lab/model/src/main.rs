//! `lab-model`: runs the cases through the model and through the lab's mesh.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Context, Result, bail};
use naru_lab_model::{
    Answer, Asks, By, Case, Document, ask, case, real,
    real::{Kubectl, Lab},
    report, standing,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str =
    "usage: lab-model [--only PART-OF-A-NAME] [--model-only] [--list] [--kubeconfig FILE] [--cases FOLDER]";

struct Options {
    only: String,
    model_only: bool,
    list: bool,
    kubectl: String,
    cases: PathBuf,
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            only: String::new(),
            model_only: false,
            list: false,
            kubectl: std::env::var("NARU_LAB_KUBECTL").unwrap_or_else(|_| "kubectl".into()),
            cases: Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases"),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().context(USAGE);
            match argument.as_str() {
                "--only" => options.only = value()?,
                "--model-only" => options.model_only = true,
                "--list" => options.list = true,
                "--kubeconfig" => options.kubectl = format!("kubectl --kubeconfig {}", value()?),
                "--cases" => options.cases = value()?.into(),
                _ => bail!(USAGE),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::read()?;
    let mut documents = case::load(&options.cases)?;
    let short = report::too_few(&documents);
    if options.list {
        list(&documents);
    }
    for document in &mut documents {
        document.cases.retain(|case| case.name.contains(&options.only));
    }
    documents.retain(|document| !document.cases.is_empty());
    let mut tally = Tally::default();
    if options.list {
        return Ok(ExitCode::SUCCESS);
    } else if options.model_only {
        let standing = standing::made_up(&options.cases)?;
        for document in &documents {
            for case in &document.cases {
                let model = ask::model(&standing, &document.objects, document, case);
                tally.one(document, case, &model, None);
            }
        }
    } else {
        let mut lab = Lab::connect(Kubectl::new(&options.kubectl))?;
        for document in &documents {
            run(&mut lab, document, &mut tally);
        }
    }
    for line in &short {
        println!("too few: {line}");
    }
    println!("agreed  of cases  by requests");
    for (asks, part) in &tally.of {
        println!(
            "{:6} {:9} {:12}  {asks:?}",
            part.agreed, part.cases, part.by_request
        );
    }
    // The last line is read by machines.
    println!(
        "{} agreed, {} differ, {} known",
        tally.agreed, tally.differ, tally.known
    );
    Ok(if tally.differ == 0 && short.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One document through both. What cannot be put in differs, case by case; what was put in is taken away in any event.
fn run(lab: &mut Lab, document: &Document, tally: &mut Tally) {
    let made = real::made_for(document);
    let all = [document.objects.clone(), made].concat();
    let stored = lab.put(&all);
    for case in &document.cases {
        // The model is not told of what the questions have brought with them.
        let own = stored.as_ref().map_or(&document.objects[..], |all| {
            all.get(..document.objects.len()).unwrap_or_default()
        });
        let model = ask::model(&lab.standing, own, document, case);
        let answer = match &stored {
            Err(why) => Err(anyhow::anyhow!("{why:#}")),
            Ok(_) => lab.ask(document, case),
        };
        tally.one(document, case, &model, Some(&answer));
    }
    if let Err(why) = lab.take(&all) {
        println!("objects that stay: {why:#}");
    }
}

/// One function's part of the tally.
#[derive(Default)]
struct Part {
    cases: usize,
    agreed: usize,
    /// Of those that agreed.
    by_request: usize,
}

#[derive(Default)]
struct Tally {
    agreed: usize,
    differ: usize,
    known: usize,
    of: BTreeMap<Asks, Part>,
}

impl Tally {
    fn one(
        &mut self,
        document: &Document,
        case: &Case,
        model: &Result<Answer>,
        real: Option<&Result<Answer>>,
    ) {
        let mut wrong = Vec::new();
        let sides = [("model", Some(model)), ("mesh", real)];
        for (side, answer) in sides {
            match answer {
                Some(Ok(answer)) => {
                    let broken = answer.breaks(&case.expect);
                    wrong.extend(broken.into_iter().map(|it| format!("{side}: {it}")));
                }
                Some(Err(why)) => wrong.push(format!("{side}: {why:#}")),
                None => {}
            }
        }
        if let (Ok(model), Some(Ok(real))) = (model, real) {
            wrong.extend(
                model
                    .differs(real)
                    .into_iter()
                    .map(|it| format!("between them: {it}")),
            );
        }
        let part = self.of.entry(document.asks).or_default();
        part.cases += 1;
        if wrong.is_empty() {
            self.agreed += 1;
            part.agreed += 1;
            part.by_request += usize::from(document.by == By::Request);
            return;
        }
        let line = |answer: &Result<Answer>| {
            answer
                .as_ref()
                .map_or_else(|why| format!("{why:#}"), Answer::line)
        };
        let expected = serde_json::Value::Object(case.expect.clone());
        let (word, said) = match &case.known {
            Some(reference) => {
                self.known += 1;
                ("known", format!(" ({reference})"))
            }
            None => {
                self.differ += 1;
                ("differs", String::new())
            }
        };
        println!(
            "{word}: {}{said}\n  {}\n  expected {expected}\n  model    {}",
            case.name,
            wrong.join("; "),
            line(model)
        );
        if let Some(real) = real {
            println!("  mesh     {}", line(real));
        }
    }
}

fn list(documents: &[Document]) {
    for document in documents {
        for case in &document.cases {
            println!("{:?} by {:?}: {}", document.asks, document.by, case.name);
        }
    }
    for ((asks, by), n) in report::counts(documents) {
        println!("{n:4} {asks:?} by {by:?}");
    }
}
