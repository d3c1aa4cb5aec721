//! `naru verify`: whether the signatures in an exported file are whole.

use crate::{cli, failure::Failure, files};
use naru_app::{Lang, say};
use naru_domain::{
    crossing::{
        Ledger,
        chain::{Broken, Head},
        export::{Damaged, Export},
    },
    object::Digest,
};
use std::path::Path;

/// Reads the file, walks the chain, and prints its end.
pub(crate) fn run(options: &cli::Verify, lang: Lang) -> Result<(), Failure> {
    let (export, end) = whole(&options.file, options.head.as_deref(), lang)?;
    let mut told = format!("{}\n", lang.cli_whole(&end.count, &end.digest));
    // What no Migration asks for any more holds nothing up, and was signed all the same.
    let ledger = Ledger::read(&export.objects().unwrap_or_default());
    let gone: Vec<&str> = ledger
        .no_longer_asked(&export.items().all())
        .into_iter()
        .map(|it| &**it)
        .collect();
    if !gone.is_empty() {
        told += &format!("{}\n", lang.sign_ledger_gone(&gone.join(", ")));
    }
    files::print(&told)
}

/// A file whose signatures are whole, to a head that was published if one is given; and their end.
pub(crate) fn whole(path: &Path, head: Option<&str>, lang: Lang) -> Result<(Export, Head), Failure> {
    let head = head.map(digest).transpose()?;
    let export = Export::read(&files::text(path)?).map_err(|damaged| match damaged {
        Damaged::Digest => Failure::Broken {
            told: format!("{}: {}", path.display(), sentence(lang, "digest")),
        },
        other => Failure::File {
            path: path.to_owned(),
            detail: other.to_string(),
        },
    })?;
    let end = export.verify(head.as_ref()).map_err(|it| broken(lang, &it))?;
    Ok((export, end))
}

fn digest(text: &str) -> Result<Digest, Failure> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 64 && text.bytes().all(hexadecimal) {
        return Ok(Digest(text.into()));
    }
    Err(Failure::BadArgument {
        argument: "--head",
        detail: "SHA-256 = 64 × [0-9a-f]".into(),
    })
}

pub(crate) fn broken(lang: Lang, broken: &Broken) -> Failure {
    Failure::Broken {
        told: say::broken(lang, broken),
    }
}

fn sentence(lang: Lang, key: &'static str) -> String {
    lang.broken(key).unwrap_or(key).into()
}

#[cfg(test)]
mod tests {
    use super::{Broken, Digest, Lang, broken, digest};
    use naru_domain::{Name, crossing::chain::How};

    #[test]
    fn each_way_to_be_broken_has_a_sentence_that_names_what_it_is_about() {
        let with = || Name::from("WITH");
        let all = [
            How::Unnumbered,
            How::Missing,
            How::Moved,
            How::Forked { with: with() },
            How::Unlinked,
            How::Changed,
            How::NoEvidence { evidence: with() },
            How::OtherEvidence { evidence: with() },
            How::OtherItem { evidence: with() },
            How::OnePerson,
            How::Contradicted,
            How::NotMet,
            How::Stale,
            How::Cut { head: Digest(with()) },
            How::Unreadable { detail: with() },
        ];
        for how in all {
            let about = format!("{how:?}").contains("WITH");
            let at = "000007".into();
            let failure = broken(Lang::En, &Broken { at, how });
            for lang in Lang::ALL {
                let sentences = failure.sentences(lang);
                let (key, text) = &sentences[0];
                assert_eq!((&**key, failure.code()), ("broken", 1));
                assert!(text.starts_with("000007: ") && text.ends_with('.'), "{text}");
                assert_eq!(text.contains("WITH"), about, "{text}");
            }
        }
        for lang in Lang::ALL {
            assert!(lang.broken("digest").is_some());
        }
    }

    #[test]
    fn a_head_is_a_digest() {
        assert!(digest(&"0f".repeat(32)).is_ok());
        for odd in ["", "0f", &"0F".repeat(32), &"0g".repeat(32)] {
            assert_eq!(digest(odd).unwrap_err().key(), "bad-argument");
        }
    }
}
