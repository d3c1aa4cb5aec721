//! The built binary as a child process, in an environment of its own: nothing of this machine's kubeconfig or variables reaches it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// `naru` with these arguments.
pub(crate) fn naru(arguments: &[&str]) -> Command {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("home");
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_naru"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null());
    command
}

/// Runs it to its end: exit code, the keys of its errors, and everything it wrote.
pub(crate) fn ended(command: &mut Command) -> (i32, Vec<String>, Output) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let key = |line: &str| Some(line.strip_prefix("error[")?.split_once("]: ")?.0.to_owned());
    (
        output.status.code().unwrap(),
        text.lines().filter_map(key).collect(),
        output,
    )
}

/// A kubeconfig for this server, without credentials.
pub(crate) fn kubeconfig(name: &str, server: &str) -> PathBuf {
    // Two tests that call theirs the same must not meet at each other's server.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let file = format!("{name}-{}.kubeconfig", COUNT.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: a\n  cluster:\n    server: {server}\n\
         contexts:\n- name: a\n  context:\n    cluster: a\n    user: a\nusers:\n- name: a\n  user: {{}}\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A console that listens.
pub(crate) struct Running {
    child: Child,
    address: String,
}

impl Running {
    /// Starts `naru COMMAND … --listen 127.0.0.1:0 --site SITE` and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str], site: &Path) -> Self {
        let mut command = naru(arguments);
        command
            .args(["--listen", "127.0.0.1:0", "--log-format", "json", "--site"])
            .arg(site);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // From here on it is ended whatever happens.
        let mut running = Self {
            child,
            address: String::new(),
        };
        let lines = BufReader::new(running.child.stderr.take().unwrap()).lines();
        let (sender, said) = mpsc::channel();
        // Goes on reading for as long as the child writes, lest it stand still on a full pipe.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut heard = String::new();
        for line in said {
            let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if json["message"] == "listening" {
                running.address = json["address"].as_str().unwrap().to_owned();
                return running;
            }
            heard += &line;
        }
        panic!("it ended before it listened: {heard}");
    }

    /// Sends a GET and reads on until the server ends the connection.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut text = String::new();
        self.open(path, "close").read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Sends a GET and leaves the answer to be read.
    pub(crate) fn open(&self, path: &str, connection: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: {connection}\r\n\r\n",
            self.address
        )
        .unwrap();
        stream
    }

    /// Sends this request as one of our own pages would, with a cookie, and reads on until the server ends the connection.
    pub(crate) fn ask(&self, request: &str, cookie: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, length) = (&self.address, body.len());
        write!(
            stream,
            "{request} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncookie: {cookie}\r\naccept: application/json\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The port that it has taken.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Asks it to end, as Kubernetes does, and returns its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        let killed = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone after `end`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
