//! The bar of a rehearsal as it crosses to the browser: what the rehearsal knows, with its sentences, which only the server has.

use crate::Lang;
use naru_view::{
    Name,
    rehearsal::{Persona, Rehearsal},
};
use serde::{Deserialize, Serialize};

/// A rehearsal with its sentences, in the viewer's language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// The facts.
    pub rehearsal: Rehearsal,
    /// Whom the viewer plays.
    pub persona: Persona,
    /// The language of the sentences.
    pub lang: Lang,
    /// What it is called, and what it is about.
    pub title: String,
    /// The situation, and what is asked.
    pub brief: String,
    /// One for each goal.
    pub goals: Vec<String>,
    /// One for each move.
    pub moves: Vec<String>,
    /// If there is one.
    pub hint: Option<String>,
    /// What lost it, if it was lost.
    pub harm: Option<String>,
    /// Why, one for each row of the toll.
    pub causes: Vec<String>,
    /// What can be played: name and title.
    pub scenarios: Vec<(Name, String)>,
}

#[cfg(feature = "ssr")]
impl Bar {
    /// That of the request being answered, if this is a rehearsal.
    pub(crate) fn here() -> Option<Self> {
        let (backend, viewer) = crate::context::backend().ok()?;
        let chosen = crate::context::preferences();
        let rehearsal = backend.rehearsal?.look(&viewer.actor);
        Some(Self::of(rehearsal, chosen.persona, chosen.lang))
    }

    fn of(rehearsal: Rehearsal, persona: Persona, lang: Lang) -> Self {
        let scenario = rehearsal.scenario.clone();
        let say = |part: &str, name: &str| sentence(lang, &scenario, part, name);
        let story = rehearsal.story.as_ref();
        let ending = story.and_then(|it| it.ending.as_ref());
        let title = |name: &Name| (name.clone(), sentence(lang, name, "title", ""));
        Self {
            title: say("title", ""),
            brief: say("brief", ""),
            goals: story
                .iter()
                .flat_map(|it| &it.goals)
                .map(|it| say("goal", &it.name))
                .collect(),
            moves: story
                .iter()
                .flat_map(|it| &it.moves)
                .map(|it| say("move", &it.name))
                .collect(),
            hint: story
                .and_then(|it| it.hint.as_ref())
                .map(|name| say("hint", name)),
            harm: ending
                .and_then(|it| it.harm.as_ref())
                .map(|name| say("harm", name)),
            causes: story
                .iter()
                .flat_map(|it| &it.toll.rows)
                .map(|it| sentence(lang, "", "cause", &it.cause))
                .collect(),
            scenarios: rehearsal.scenarios.iter().map(title).collect(),
            rehearsal,
            persona,
            lang,
        }
    }
}

/// A sentence of a scenario's; its key where there is none, which a test holds to be never.
#[cfg(feature = "ssr")]
fn sentence(lang: Lang, scenario: &str, part: &str, name: &str) -> String {
    let key = key(scenario, part, name);
    lang.scenario(&key).map_or(key, str::to_owned)
}

/// The key of a scenario's sentence in the group `scenario` of the locales.
#[cfg(feature = "ssr")]
pub fn key(scenario: &str, part: &str, name: &str) -> String {
    let parts = [scenario, part, name];
    let words: Vec<String> = parts
        .into_iter()
        .filter(|it| !it.is_empty())
        .map(|it| it.replace('-', "_"))
        .collect();
    words.join("_")
}
