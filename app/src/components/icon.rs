//! One family of icons: 24 px grid, strokes of 2, round ends. Always beside words, so hidden from assistive technology.

use leptos::prelude::*;

/// A picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Logo,
    Overview,
    Topology,
    Canary,
    Checklist,
    Changes,
    Mesh,
    Why,
    Rail,
    Keyboard,
    Plus,
    Minus,
    Fit,
    Lock,
    Unlock,
    Close,
    Undo,
    Search,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Logo => "M3 14h18l-3 5H6zM12 14V4l6 7M2 22c2 0 2-1 4-1s2 1 4 1 2-1 4-1 2 1 4 1 2-1 4-1",
            Self::Overview => "M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z",
            Self::Topology => {
                "M3 9h5v6H3zM16 3h5v6h-5zM16 15h5v6h-5zM8 12h4M16 6h-2a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2"
            }
            Self::Canary => "M4 12h5M9 12c5 0 5-6 11-6M9 12c5 0 5 6 11 6M17 3l3 3-3 3M17 15l3 3-3 3",
            Self::Checklist => "M4 6l1.5 1.5L8 5M4 13l1.5 1.5L8 12M4 20l1.5 1.5L8 19M12 6h8M12 13h8M12 20h8",
            Self::Changes => "M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l3 2",
            Self::Mesh => "M4 5h6v5H4zM14 5h6v5h-6zM9 14h6v5H9zM10 7.5h4M7 10l3.5 4M17 10l-3.5 4",
            Self::Why => {
                "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M12 16.5h.01"
            }
            Self::Rail => "M3 4h18v16H3zM9 4v16",
            Self::Keyboard => "M2 6h20v12H2zM6 10h.01M10 10h.01M14 10h.01M18 10h.01M7 14h10",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Minus => "M5 12h14",
            Self::Fit => "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
            Self::Lock => "M5 11h14v10H5zM8 11V7a4 4 0 0 1 8 0v4",
            Self::Unlock => "M5 11h14v10H5zM8 11V7a4 4 0 0 1 7.8-1.2",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Undo => "M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
            Self::Search => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
        }
    }
}

/// Draws it at the size of the text beside it.
pub(crate) fn icon(icon: Icon) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=icon.path()/>
        </svg>
    }
}
