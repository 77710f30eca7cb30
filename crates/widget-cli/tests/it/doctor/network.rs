//! `widget doctor` where no answer comes from the page.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use expect_test::{Expect, expect};

use crate::{Folder, outcome};

/// Answers every request with these bytes, and hangs up.
fn serve(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            // Whoever hangs up first is not answered.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[track_caller]
fn check(page: &str, proxy: Option<SocketAddr>, expected: &Expect) {
    let folder = Folder::new();
    let mut command = folder.command(&["doctor", page]);
    command.env("XDG_CONFIG_HOME", folder.path());
    if let Some(proxy) = proxy {
        command.env("HTTPS_PROXY", format!("http://{proxy}"));
    }
    expected.assert_eq(&outcome(&mut command).replace(page, "PAGE"));
}

#[test]
fn a_site_that_hangs_up_is_not_about_compression() {
    let silent = serve(b"");
    check(
        &format!("http://{silent}/"),
        None,
        &expect![[r#"
            exit 1
            ---- stdout ----
            PAGE → no widget
              ✗ the page cannot be loaded: it does not answer: connection closed before message completed  site owner
                hint: check that the site runs, and that the address has the right scheme and port
            Fix: check that the site runs, and that the address has the right scheme and port
        "#]],
    );
}

#[test]
fn a_proxy_that_does_not_connect_is_named() {
    let proxy = serve(b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n");
    check(
        "https://shop.example/",
        Some(proxy),
        &expect![[r#"
            exit 1
            ---- stdout ----
            shop.example/ → no widget
              ✗ the page cannot be loaded: the proxy does not connect to its host (tunnel error: unsuccessful)  site owner
                hint: check that the site runs, and that the address has the right scheme and port
            Fix: check that the site runs, and that the address has the right scheme and port
        "#]],
    );
}
