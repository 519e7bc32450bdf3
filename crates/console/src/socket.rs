//! Where the socket lies, for both ends of it.
//!
//! The kernel takes at most 107 bytes of path for a Unix socket. Data folders may lie deeper, so a
//! long path goes through the folder's own file descriptor.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// The name of the socket in the data folder.
pub const SOCKET_NAME: &str = "palisade.sock";

/// What `sockaddr_un` holds without its terminating zero.
const PATH_BYTES_MAX: usize = 107;

/// A path that the kernel takes for as long as this value lives.
#[derive(Debug)]
pub struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    /// The socket of the data folder.
    pub fn in_folder(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET_NAME);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET_NAME);
        Ok(Self { path, _folder: Some(folder) })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
