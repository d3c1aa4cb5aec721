//! Signing in and out, and what comes back that should not.

use super::world::{SESSION, World};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn nobody_is_shown_anything_but_the_way_in() {
    let world = World::new("nobody").await;
    let mut browser = world.browser();
    for path in [
        "/",
        "/topology?ns=a,b",
        "/canary/shop/a",
        "/changes",
        "/why",
        "/no/such/page",
    ] {
        let answer = browser.open(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.location().starts_with("/login"), "{path}");
        assert!(answer.body.is_empty(), "{path}");
    }
    assert_eq!(
        browser.open("/topology?ns=a,b").await.location(),
        "/login?to=/topology%3Fns%3Da%2Cb"
    );
    for path in ["/live", "/live/overview", "/live/topology", "/rehearsal/records"] {
        let answer = browser.fetch(path).await;
        assert_eq!((answer.status, &*answer.body), (401, "not signed in\n"), "{path}");
    }
    let refused = browser.write().await;
    assert_eq!(
        (refused.status, &*refused.body),
        (401, r#"{"failed":"signed-out"}"#)
    );
    assert!(refused.headers.contains_key("serverfnerror"));
    // What belongs to nobody in particular.
    for path in ["/healthz", "/readyz", "/pkg/naru-0123456789abcdef.js", "/login"] {
        assert_eq!(browser.fetch(path).await.status, 200, "{path}");
    }
    let page = browser.open("/login?to=/topology&why=lapsed").await;
    assert!(
        page.body.contains("href=\"/login/start?to=/topology\""),
        "{}",
        page.body
    );
    assert!(page.body.contains("Your session has run out."));
    assert!(!page.body.contains("namespace-7"), "nothing of the system");
    assert!(
        !page.body.contains("href=\"/changes\""),
        "no page leads where nobody may go"
    );
    let korean = browser.open("/login?lang=ko&why=provider-away").await;
    assert!(korean.body.contains("lang=\"ko\"") && korean.body.contains("ID 공급자에 연결할 수 없거나"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains(&format!("form-action 'self' {}", world.provider.url)),
        "{policy}"
    );
}

#[tokio::test]
async fn whoever_the_provider_knows_is_let_in_and_led_back() {
    let world = World::new("let-in").await;
    let mut browser = world.browser();
    let answer = browser.sign_in(&world.provider, "/topology?ns=a,b&find=x").await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/topology?ns=a,b&find=x")
    );
    assert_eq!(
        browser.jar.keys().collect::<Vec<_>>(),
        [SESSION],
        "what was for the way out is gone"
    );
    let page = browser.open("/topology").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("김나루") && page.body.contains("action=\"/logout\""));
    assert!(browser.known().await);
    // The cookie says nothing to whoever reads it.
    let cookie = &browser.jar[SESSION];
    assert!(!cookie.contains("7f3c") && !cookie.contains("secret"));
    assert_eq!(world.provider.tokens_asked.load(Ordering::Relaxed), 1);
    assert!(world.untouched());
}

#[tokio::test]
async fn pages_that_are_opened_at_once_each_come_back() {
    let world = World::new("at-once").await;
    let mut browser = world.browser();
    // As tabs do that are opened together: all are on their way before the first is back.
    let pages = ["/changes", "/topology", "/why"];
    let mut ways = Vec::new();
    for page in pages {
        let begun = browser.open(&format!("/login/start?to={page}")).await;
        ways.push(world.provider.authorize(begun.location()));
    }
    for (page, way) in pages.iter().zip(&ways).rev() {
        let answer = browser.open(way).await;
        assert!(answer.lets_in(), "{page}: {}", answer.location());
        assert_eq!(answer.location(), *page);
    }
    assert_eq!(browser.jar.keys().collect::<Vec<_>>(), [SESSION]);
    // And those whose session has run out, without a question.
    world.clock.on(16 * 60);
    ways.clear();
    for page in pages {
        assert!(browser.open(page).await.location().starts_with("/login/renew"));
        let begun = browser.open(&format!("/login/renew?to={page}")).await;
        ways.push(world.provider.authorize(begun.location()));
    }
    for (page, way) in pages.iter().zip(&ways) {
        assert_eq!(browser.open(way).await.location(), *page);
    }
    // Whoever never comes back does not fill the browser.
    for _ in 0..40 {
        browser.open("/login/start?to=/changes").await;
    }
    assert!(browser.jar.len() < 12, "{}", browser.jar.len());
    assert!(browser.known().await);
    assert!(browser.sign_in(&world.provider, "/changes").await.lets_in());
}

#[tokio::test]
async fn whoever_signs_out_is_nobody_everywhere_whatever_they_kept() {
    let world = World::new("sign-out").await;
    let other = world.replica(super::world::KEYS[0]).await;
    let mut browser = world.signed_in().await;
    let (mut kept, mut kept_elsewhere) = (browser.clone(), browser.at(&other));
    assert!(kept_elsewhere.known().await);
    let answer = browser.post("/logout", "").await;
    assert_eq!(answer.status, 303);
    let target = answer.location();
    assert!(
        target.starts_with(&format!("{}/end?client_id=naru-console", world.provider.url)),
        "{target}"
    );
    assert!(
        target.contains("post_logout_redirect_uri=https%3A%2F%2Fnaru.example%2Flogin"),
        "{target}"
    );
    assert!(!browser.jar.contains_key(SESSION));
    assert_eq!(world.ended().await, 1);
    assert!(!kept.known().await);
    assert_eq!(kept.open("/").await.location(), "/login?why=signed-out");
    assert_eq!(kept.write().await.status, 401);
    while kept_elsewhere.known().await {
        tokio::task::yield_now().await;
    }
    // Signing in again is another session.
    assert!(world.signed_in().await.known().await);
    assert!(!kept.known().await);
}

#[tokio::test]
async fn the_way_back_leads_only_to_pages_of_ours() {
    let world = World::new("open-redirect").await;
    for to in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "/..//evil.example",
        "%2F%2Fevil.example",
        "/a%0d%0aset-cookie:x=y",
        "javascript:alert(1)",
        "/login/start",
        "/logout",
    ] {
        let mut browser = world.browser();
        let to = to.replace('\\', "%5C");
        let answer = browser.sign_in(&world.provider, &to).await;
        assert_eq!((answer.status, answer.location()), (303, "/"), "{to}");
        assert!(!answer.headers.contains_key("x"), "{to}");
        // And where nobody is: the path that was asked for.
        let page = world.browser().open(&format!("/login?to={to}")).await;
        assert!(
            !page.body.contains("href=\"https://evil") && !page.body.contains("href=\"//evil"),
            "{to}"
        );
    }
    let nobody = world.browser().open("//evil.example/a").await;
    assert_eq!(nobody.location(), "/login");
}

#[tokio::test]
async fn an_answer_that_belongs_to_no_way_out_is_refused() {
    let world = World::new("stray").await;
    let why = |answer: &super::world::Answer| {
        assert!(!answer.lets_in());
        answer.location().split("why=").nth(1).unwrap_or("").to_owned()
    };
    // Another browser's answer, with its state.
    let mut victim = world.browser();
    victim.open("/login/start").await;
    let foreign = world.browser().open("/login/start").await;
    let back = world.provider.authorize(foreign.location());
    let answer = victim.open(&back).await;
    assert_eq!(why(&answer), "stray");
    // None at all, or none of this browser.
    for query in ["", "?code=x", "?state=y&code=x", "?code=x&state="] {
        assert_eq!(
            why(&world.browser().open(&format!("/login/callback{query}")).await),
            "stray",
            "{query}"
        );
        let mut begun = world.browser();
        begun.open("/login/start").await;
        assert_eq!(
            why(&begun.open(&format!("/login/callback{query}")).await),
            "stray",
            "{query}"
        );
    }
    assert_eq!(
        world.provider.tokens_asked.load(Ordering::Relaxed),
        0,
        "no code was even tried"
    );
    // Too late.
    let mut slow = world.browser();
    let begun = slow.open("/login/start").await;
    let back = world.provider.authorize(begun.location());
    world.clock.on(11 * 60);
    assert_eq!(why(&slow.open(&back).await), "stray");
    // Another provider's, or nobody's, by RFC 9207.
    for change in ["https://evil.example", ""] {
        let mut browser = world.browser();
        let begun = browser.open("/login/start").await;
        let back = world.provider.authorize(begun.location());
        let (without, _) = back.split_once("&iss=").unwrap();
        let back = if change.is_empty() {
            without.to_owned()
        } else {
            format!("{without}&iss={change}")
        };
        assert_eq!(why(&browser.open(&back).await), "stray", "{change}");
    }
    assert!(world.untouched());
}

#[tokio::test]
async fn a_code_and_a_way_back_are_good_once() {
    let world = World::new("code-once").await;
    let mut browser = world.browser();
    let begun = browser.open("/login/start").await;
    let mut thief = browser.clone();
    let back = world.provider.authorize(begun.location());
    assert!(browser.open(&back).await.lets_in());
    // The same cookie, state and code once more.
    let again = thief.open(&back).await;
    assert!(!again.lets_in());
    assert_eq!(again.location(), "/login?why=stray");
    // The code alone in a sign-in of one's own: the provider knows that it was used, and by whom it was asked for.
    let mut other = world.browser();
    let begun = other.open("/login/start").await;
    let own = world.provider.authorize(begun.location());
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let own_code = own.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let answer = other.open(&own.replace(own_code, code)).await;
    assert!(!answer.lets_in());
    assert_eq!(answer.location(), "/login?why=refused");
    // A code that somebody else asked for, and nobody has used: PKCE.
    let mut other = world.browser();
    let begun = other.open("/login/start").await;
    let own = world.provider.authorize(begun.location());
    let foreign = world
        .provider
        .authorize(world.browser().open("/login/start").await.location());
    let code = foreign.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let own_code = own.split("code=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(
        other.open(&own.replace(own_code, code)).await.location(),
        "/login?why=refused"
    );
}

#[tokio::test]
async fn whoever_the_provider_does_not_let_in_is_told() {
    let world = World::new("refused").await;
    for (error, why) in [
        ("access_denied", "refused"),
        ("login_required", "lapsed"),
        ("server_error", "provider-away"),
        ("%3Cscript%3Ealert(1)%3C/script%3E", "refused"),
    ] {
        let mut browser = world.browser();
        let begun = browser.open("/login/start?to=/changes").await;
        let back = world.provider.authorize(begun.location());
        let state = back.split("state=").nth(1).unwrap();
        let answer = browser
            .open(&format!(
                "/login/callback?error={error}&error_description=%3Cb%3Ex%3C/b%3E&state={state}"
            ))
            .await;
        assert!(!answer.lets_in());
        assert_eq!(
            answer.location(),
            format!("/login?to=/changes&why={why}"),
            "{error}"
        );
    }
    let page = world
        .browser()
        .open("/login?why=%3Cscript%3Ealert(1)%3C/script%3E&to=%22%3E%3Cscript%3E")
        .await;
    assert!(
        !page.body.contains("<script>alert") && !page.body.contains("\"><script>"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn another_sites_page_signs_nobody_out_or_in() {
    let world = World::new("csrf").await;
    let mut browser = world.signed_in().await;
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost:3001",
        "http://localhost:3000.evil.example",
    ] {
        for path in ["/logout", "/logout/backchannel", "/api/plan_weights"] {
            let answer = browser.post_from(origin, path, "logout_token=x").await;
            assert_eq!(answer.status, 403, "{origin} {path}");
        }
    }
    assert_eq!(
        browser.open("/logout").await.status,
        405,
        "a link does not do it either"
    );
    assert!(browser.known().await);
    assert!(world.untouched());
}
