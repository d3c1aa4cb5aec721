//! Releases of Istio, and when their support ends.
//!
//! From <https://istio.io/latest/docs/releases/supported-releases/> and the announcements of each end there, as of 2026-11-29. Where only a month was
//! expected, its last day stands here, marked as expected. A minor release is supported until six weeks after the second one after it.

/// Minor releases of Istio 1, the day on which support ended (or ends), and whether that day is only expected. In order.
const ENDS: [(u16, &str, bool); 20] = [
    (12, "2022-07-12", false),
    (13, "2022-10-12", false),
    (14, "2022-12-27", false),
    (15, "2023-04-04", false),
    (16, "2023-07-25", false),
    (17, "2023-10-27", false),
    (18, "2024-01-04", false),
    (19, "2024-04-24", false),
    (20, "2024-06-25", false),
    (21, "2024-09-27", false),
    (22, "2025-01-22", false),
    (23, "2025-04-16", false),
    (24, "2025-06-24", false),
    (25, "2025-09-30", false),
    (26, "2025-12-22", false),
    (27, "2026-04-07", false),
    (28, "2026-06-29", false),
    (29, "2026-10-12", false),
    (30, "2027-01-31", true),
    (31, "2027-02-28", true),
];

/// Whether a release is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Support {
    /// Until this day, at least as expected.
    Until(&'static str),
    /// It ended by this day.
    Ended(&'static str),
    /// It was expected to end by this day, and whether it did is not known here.
    Expected(&'static str),
    /// The release is younger than what is known here.
    Unknown,
}

/// The support of a minor release of Istio 1 on a day, written as `2026-01-31`.
pub(super) fn support(minor: u16, today: &str) -> Support {
    let Some((_, end, expected)) = ENDS.iter().find(|(it, ..)| *it >= minor) else {
        return Support::Unknown;
    };
    match (today <= *end, expected) {
        (true, _) => Support::Until(end),
        (false, false) => Support::Ended(end),
        (false, true) => Support::Expected(end),
    }
}

/// The minor release that a full version of Istio 1 names, such as `1.31.0` or `v1.20.8-distroless`; None for anything else.
pub(super) fn minor(tag: &str) -> Option<u16> {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let mut parts = tag.split(['-', '+']).next()?.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && patch.parse::<u16>().is_ok();
    (major == "1" && whole).then(|| minor.parse().ok()).flatten()
}

/// Whether a tag names something else tomorrow than today.
pub(super) fn moves(tag: &str) -> bool {
    const MOVING: [&str; 9] = [
        "", "latest", "master", "main", "edge", "nightly", "stable", "dev", "unstable",
    ];
    let tag = tag.to_ascii_lowercase();
    let mut parts = tag.strip_prefix('v').unwrap_or(&tag).split('.');
    let number = |part: Option<&str>| part.is_some_and(|it| it.parse::<u16>().is_ok());
    let two = number(parts.next()) && number(parts.next()) && parts.next().is_none();
    two || MOVING.contains(&&*tag)
}

/// The tag of an image; None for one that is pinned by its digest alone. Without a tag it is `latest`.
pub(crate) fn tag_of(image: &str) -> Option<&str> {
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => Some(tag),
        None if digest => None,
        None => Some("latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ENDS, Support, minor, moves, support, tag_of};

    #[test]
    fn the_table_is_in_order() {
        assert!(
            ENDS.windows(2)
                .all(|it| it[0].0 + 1 == it[1].0 && it[0].1 < it[1].1)
        );
        assert!(
            ENDS.iter()
                .all(|(_, day, _)| day.parse::<jiff::civil::Date>().is_ok())
        );
    }

    #[test]
    fn support_ends_after_its_last_day() {
        assert_eq!(support(20, "2024-06-25"), Support::Until("2024-06-25"));
        assert_eq!(support(20, "2024-06-26"), Support::Ended("2024-06-25"));
        assert_eq!(support(4, "2024-06-26"), Support::Ended("2022-07-12"));
        assert_eq!(support(31, "2027-03-01"), Support::Expected("2027-02-28"));
        assert_eq!(support(60, "2026-01-01"), Support::Unknown);
    }

    #[test]
    fn full_versions_are_told_from_what_moves() {
        for (tag, of) in [
            ("1.20.8", Some(20)),
            ("v1.31.0-distroless", Some(31)),
            ("1.20", None),
            ("latest", None),
            ("2.1.0", None),
            ("1.20.x", None),
            ("1.20.1.4", None),
            ("our-1.20.1", None),
        ] {
            assert_eq!(minor(tag), of, "{tag}");
        }
        for (tag, moving) in [
            ("latest", true),
            ("1.20", true),
            ("v1.20", true),
            ("Main", true),
            ("1.20.8", false),
            ("our-build-7", false),
            ("1-20-8", false),
        ] {
            assert_eq!(moves(tag), moving, "{tag}");
        }
    }

    #[test]
    fn an_images_tag_is_not_its_registrys_port() {
        assert_eq!(tag_of("docker.io/istio/pilot:1.20.8"), Some("1.20.8"));
        assert_eq!(tag_of("registry:5000/istio/pilot"), Some("latest"));
        assert_eq!(tag_of("istio/pilot@sha256:ab"), None);
        assert_eq!(tag_of("istio/pilot:1.20.8@sha256:ab"), Some("1.20.8"));
    }
}
