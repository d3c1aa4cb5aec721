//! What an nginx configuration passes on, and how (nginx documentation, "ngx_http_proxy_module").
//!
//! The reading is tolerant and cautious: what it does not understand for certain (an `include` that may set more, a variable as a target, Lua) it leaves
//! out rather than guess.

/// A `proxy_pass`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// `server_name` of the server around it, in lower case.
    pub(super) server_names: Vec<String>,
    /// `http` or `https`.
    pub(super) scheme: String,
    /// The hosts that it leads to, without ports, in lower case: the one that is written, or those of the `upstream` of that name.
    pub(super) hosts: Vec<String>,
    /// The `Host` that is sent, as written; None where nginx's own default holds, the target's name.
    pub(super) sends_host: Option<String>,
    /// `proxy_http_version`; None where nginx's default holds.
    pub(super) http_version: Option<String>,
    /// An `include` around it may set headers and versions that are not seen.
    pub(super) includes: bool,
}

/// Longer configurations are not read, in bytes.
pub(super) const LONGEST: usize = 256 * 1024;
const DEEPEST: usize = 24;

/// All that a configuration passes on; empty for one that cannot be read.
pub(super) fn passed(text: &str) -> Vec<Passed> {
    if text.len() > LONGEST || text.contains("_by_lua") || text.contains("js_content") {
        return Vec::new();
    }
    let Some(words) = words(text) else {
        return Vec::new();
    };
    let Some(tree) = block(&mut words.into_iter().peekable(), 0) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let upstreams = upstreams(&tree);
    walk(&tree, &Around::default(), &upstreams, &mut found);
    found
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Text(String),
    Open,
    Close,
    End,
}

#[derive(Debug)]
struct Directive {
    words: Vec<String>,
    inner: Option<Vec<Directive>>,
}

impl Directive {
    fn name(&self) -> &str {
        self.words.first().map_or("", |it| it)
    }

    fn rest(&self) -> &[String] {
        self.words.get(1..).unwrap_or(&[])
    }
}

/// None where a quotation does not end.
fn words(text: &str) -> Option<Vec<Word>> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            it if it.is_whitespace() => {}
            '#' => while chars.next_if(|it| *it != '\n').is_some() {},
            '{' => found.push(Word::Open),
            '}' => found.push(Word::Close),
            ';' => found.push(Word::End),
            quote @ ('"' | '\'') => {
                let mut word = String::new();
                loop {
                    match chars.next()? {
                        '\\' => word.push(chars.next()?),
                        it if it == quote => break,
                        it => word.push(it),
                    }
                }
                found.push(Word::Text(word));
            }
            first => {
                let mut word = String::from(first);
                if first == '\\' {
                    word.extend(chars.next());
                }
                let ends = |it: char| it.is_whitespace() || matches!(it, '{' | '}' | ';');
                loop {
                    // `${name}` is a variable, not a block.
                    if word.ends_with('$') && chars.next_if_eq(&'{').is_some() {
                        word.push('{');
                        while let Some(it) = chars.next_if(|it| *it != '}') {
                            word.push(it);
                        }
                        word.extend(chars.next());
                        continue;
                    }
                    match chars.next_if(|it| !ends(*it)) {
                        Some('\\') => {
                            word.push('\\');
                            word.extend(chars.next());
                        }
                        Some(it) => word.push(it),
                        None => break,
                    }
                }
                found.push(Word::Text(word));
            }
        }
    }
    Some(found)
}

/// Directives up to the end of the block that has begun; None where blocks do not match.
fn block(words: &mut std::iter::Peekable<std::vec::IntoIter<Word>>, depth: usize) -> Option<Vec<Directive>> {
    let mut found = Vec::new();
    let mut current: Vec<String> = Vec::new();
    loop {
        match words.next() {
            Some(Word::Text(word)) => current.push(word),
            Some(Word::End) => {
                let words = std::mem::take(&mut current);
                if !words.is_empty() {
                    found.push(Directive { words, inner: None });
                }
            }
            Some(Word::Open) if depth < DEEPEST => {
                let inner = block(words, depth + 1)?;
                found.push(Directive {
                    words: std::mem::take(&mut current),
                    inner: Some(inner),
                });
            }
            Some(Word::Open) => return None,
            Some(Word::Close) => return (depth > 0 && current.is_empty()).then_some(found),
            None => return (depth == 0 && current.is_empty()).then_some(found),
        }
    }
}

/// `upstream` blocks with the hosts of their servers.
fn upstreams(tree: &[Directive]) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for it in tree {
        let Some(inner) = &it.inner else { continue };
        match (it.name(), it.rest()) {
            ("upstream", [name]) => {
                let servers = inner.iter().filter(|it| it.name() == "server");
                let hosts = servers.filter_map(|it| Some(host_of(it.rest().first()?)));
                found.push((name.to_lowercase(), hosts.collect()));
            }
            ("http", _) => found.extend(upstreams(inner)),
            _ => {}
        }
    }
    found
}

/// What a level inherits. Headers are inherited only by levels that set none themselves.
#[derive(Clone, Debug, Default)]
struct Around {
    server_names: Vec<String>,
    headers: Vec<(String, String)>,
    http_version: Option<String>,
    includes: bool,
}

fn walk(tree: &[Directive], outer: &Around, upstreams: &[(String, Vec<String>)], found: &mut Vec<Passed>) {
    let plain = |name: &'static str| {
        tree.iter()
            .filter(move |it| it.inner.is_none() && it.name() == name)
    };
    let mut around = outer.clone();
    let headers: Vec<(String, String)> = plain("proxy_set_header")
        .filter_map(|it| match it.rest() {
            [name, value] => Some((name.to_lowercase(), value.clone())),
            _ => None,
        })
        .collect();
    if !headers.is_empty() {
        around.headers = headers;
    }
    if let Some(it) = plain("proxy_http_version").next_back() {
        around.http_version = it.rest().first().cloned();
    }
    // The list of file types says nothing of proxies.
    around.includes |=
        plain("include").any(|it| it.rest().first().is_none_or(|it| !it.ends_with("mime.types")));
    let names = plain("server_name")
        .flat_map(Directive::rest)
        .map(|it| it.to_lowercase());
    around.server_names.extend(names);
    for pass in plain("proxy_pass") {
        found.extend(pass.rest().first().and_then(|url| one(url, &around, upstreams)));
    }
    for it in tree {
        if let Some(inner) = &it.inner
            && matches!(it.name(), "http" | "server" | "location" | "if" | "limit_except")
        {
            walk(inner, &around, upstreams, found);
        }
    }
}

/// None for a target that is only known when a request comes.
fn one(url: &str, around: &Around, upstreams: &[(String, Vec<String>)]) -> Option<Passed> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_lowercase();
    let authority = rest.split(['/', '?', '#']).next()?;
    if !matches!(&*scheme, "http" | "https") || authority.contains('$') || authority.is_empty() {
        return None;
    }
    let host = host_of(authority);
    let upstream = upstreams.iter().find(|(name, _)| *name == host);
    let sends = around.headers.iter().rev().find(|(name, _)| name == "host");
    Some(Passed {
        server_names: around.server_names.clone(),
        scheme,
        hosts: upstream.map_or_else(|| vec![host], |(_, hosts)| hosts.clone()),
        sends_host: sends.map(|(_, value)| value.clone()),
        http_version: around.http_version.clone(),
        includes: around.includes,
    })
}

fn host_of(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
        _ => authority,
    };
    host.trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Passed, passed};

    fn only(text: &str) -> Passed {
        let mut all = passed(text);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn a_location_is_read_with_what_is_around_it() {
        let it = only(
            "# x { y\nserver { server_name A.example b.example; proxy_http_version 1.1; location /api {\n\
             proxy_pass https://API.example:8443/v1; proxy_set_header \"Host\" $host; } location ~ \\.php$ { root '/a b'; } }",
        );
        assert_eq!(it.server_names, ["a.example", "b.example"]);
        assert_eq!(
            (&*it.scheme, &it.hosts[..]),
            ("https", &["api.example".to_owned()][..])
        );
        assert_eq!(it.sends_host.as_deref(), Some("$host"));
        assert_eq!(it.http_version.as_deref(), Some("1.1"));
        assert!(!it.includes);
    }

    #[test]
    fn headers_are_inherited_only_where_none_are_set() {
        let outer = "server { proxy_set_header Host $host; location / { INNER proxy_pass http://a; } }";
        assert_eq!(
            only(&outer.replace("INNER", "")).sends_host.as_deref(),
            Some("$host")
        );
        let inner = outer.replace("INNER", "proxy_set_header X-A b;");
        assert_eq!(only(&inner).sends_host, None);
    }

    #[test]
    fn an_upstreams_servers_are_the_target() {
        let it = only(
            "http { upstream back { server one:8080 weight=2; server two; } server { location / { proxy_pass http://back; } } }",
        );
        assert_eq!(it.hosts, ["one", "two"]);
    }

    #[test]
    fn what_an_include_may_set_is_noted() {
        assert!(only("server { location / { include proxy_params; proxy_pass http://a; } }").includes);
        assert!(
            !only("http { include mime.types; server { location / { proxy_pass http://a; } } }").includes
        );
    }

    #[test]
    fn what_is_not_certain_is_left_out() {
        for text in [
            "server { location / { proxy_pass http://$backend; } }",
            "server { location / { proxy_pass http://${API_HOST}/; } }",
            "server { location / { proxy_pass http://a; }",
            "} server { location / { proxy_pass http://a; } }",
            "server { location / { content_by_lua_block { ngx.say('{') } proxy_pass http://a; } }",
            "server { location / { proxy_pass 'http://a; } }",
            "server { location / { proxy_pass http://a } }",
            "stream { server { proxy_pass a:1; } }",
            "key: value\n- list",
            "",
        ] {
            assert!(passed(text).is_empty(), "{text}");
        }
        assert!(passed(&"a {".repeat(1000)).is_empty());
        assert!(
            passed(&format!(
                "{} server {{ location / {{ proxy_pass http://a; }} }}",
                "x y;".repeat(100_000)
            ))
            .is_empty()
        );
    }

    #[test]
    fn a_variables_braces_are_no_block() {
        let it = only("server { location / { proxy_set_header Host ${host}; proxy_pass http://a; } }");
        assert_eq!(it.sends_host.as_deref(), Some("${host}"));
    }
}
