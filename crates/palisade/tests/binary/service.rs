//! Under a service manager: what the program tells it, and the sockets that it hands over.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::support::{PATIENCE, Palisade, call, program, shop, text};

/// The next word to the service manager that is not about the watchdog.
fn told(socket: &UnixDatagram) -> String {
    loop {
        let word = any_told(socket);
        if word != "WATCHDOG=1" {
            return word;
        }
    }
}

fn any_told(socket: &UnixDatagram) -> String {
    let mut word = [0; 512];
    let length = socket.recv(&mut word).expect("a word in time");
    text(&word[..length])
}

#[test]
fn the_service_manager_hears_how_the_program_stands() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let path = data.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let to = upstream.url();
    let args = ["--to", &to, "--listen", "127.0.0.1:0"];
    let palisade = Palisade::start_notifying(&path, &data.path().join("data"), &args);
    assert!(told(&socket).starts_with("READY=1\n"));
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
    for _ in 0..3 {
        assert_eq!(any_told(&socket), "WATCHDOG=1");
    }
    palisade.signal("HUP");
    let reloading = told(&socket);
    let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a reload");
    assert!(micros.parse::<u64>().expect("a time") > 0);
    assert!(told(&socket).starts_with("READY=1\n"));
    palisade.signal("TERM");
    assert!(told(&socket).starts_with("STOPPING=1\n"));
}

#[test]
fn a_socket_that_is_handed_over_outlives_the_program() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let to = upstream.url();
    let handed = || socket.try_clone().expect("the same socket");
    let palisade = Palisade::start_on(handed(), data.path(), &["--to", &to]);
    assert_eq!(palisade.address, address);
    assert_eq!(call(address, "GET", "/api/v1/products", "").status, 200);
    assert_eq!(palisade.end(), 143);
    // Nobody serves at the moment, and nobody is refused.
    let mut caller = TcpStream::connect(address).expect("the socket is open");
    caller.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    caller.write_all(b"GET /api/v1/products HTTP/1.1\r\nhost: h\r\n\r\n").expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    let _palisade = Palisade::start_on(handed(), data.path(), &["--to", &to]);
    let mut answer = [0; 15];
    caller.read_exact(&mut answer).expect("an answer");
    assert_eq!(text(&answer), "HTTP/1.1 200 OK");
}

#[test]
fn a_socket_that_the_file_does_not_name_is_a_mistake() {
    let data = tempfile::tempdir().expect("a folder");
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let file = data.path().join("palisade.toml");
    fs::write(
        &file,
        "version = 1\n[server]\nlisten = \"127.0.0.1:0\"\n[[site]]\nupstream = \"http://127.0.0.1:1\"\n",
    )
    .expect("written");
    let mut shell = std::process::Command::new("sh");
    let words = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"";
    let output = shell
        .args(["-c", words])
        .arg(program().get_program())
        .args(["run", "--quiet", "--config"])
        .arg(&file)
        .arg("--data")
        .arg(data.path().join("data"))
        .stdin(std::os::fd::OwnedFd::from(socket))
        .output()
        .expect("it runs");
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{words}");
    assert!(words.contains(&format!("a socket on {address} is handed over")), "{words}");
}
