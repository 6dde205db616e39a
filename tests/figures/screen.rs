//! The screen as it is, pixel by pixel: what stands there is what a person sees. Xvfb keeps its picture in a file, so
//! looking at it asks nothing of the programs that are measured, or of the X server.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Looked for: the block of the empty window, and the tile of a bank that is in no catalogue, which stands in each row
/// of the list and nowhere else on that page. #5c6670, as it stands in the picture.
const BLUE_FIRST: [u8; 3] = [0x70, 0x66, 0x5c];

/// A tile is 20 pixels wide and high: of every eighth line every fourth pixel is looked at. Looking must cost next to
/// nothing, since it takes its time from what is looked at.
const LINES: u32 = 8;
const PIXELS: usize = 4;
/// Two tiles make as many pixels; the blurred edges of letters that have this colour by chance do not.
const ENOUGH: usize = 12;
const LOOK_EVERY: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// Xvfb's picture.
pub(crate) struct Screen {
    file: File,
    /// Where the pixels begin.
    begin: u64,
    line: u32,
    height: u32,
}

impl Screen {
    /// Opens the picture that Xvfb keeps in this folder (`-fbdir`), which has the format of xwd(1).
    pub(crate) fn open(folder: &Path) -> Self {
        let file = File::open(folder.join("Xvfb_screen0")).expect("Xvfb's picture");
        let mut head = [0; 100];
        file.read_exact_at(&mut head, 0).expect("its head");
        let number = |n: usize| u32::from_be_bytes(head[4 * n..4 * n + 4].try_into().expect("four bytes"));
        let [size, height, bits, line, colours] = [0, 5, 11, 12, 19].map(number);
        assert_eq!(bits, 32, "a pixel has four bytes");
        Self { file, begin: u64::from(size) + 12 * u64::from(colours), line, height }
    }

    /// Whether the colour is there.
    pub(crate) fn shows(&self) -> bool {
        let mut found = 0;
        let mut line = vec![0; self.line as usize];
        for y in (0..self.height).step_by(LINES as usize) {
            let at = self.begin + u64::from(y) * u64::from(self.line);
            self.file.read_exact_at(&mut line, at).expect("a line");
            // Not an iterator: this is a debug build, and looks often.
            let mut x = 0;
            while x + 2 < line.len() {
                if line[x] == BLUE_FIRST[0] && line[x + 1] == BLUE_FIRST[1] && line[x + 2] == BLUE_FIRST[2] {
                    found += 1;
                }
                x += 4 * PIXELS;
            }
        }
        found >= ENOUGH
    }

    /// Waits until the colour is there, or is gone, and says when that was.
    pub(crate) fn wait(&self, there: bool) -> Instant {
        let begin = Instant::now();
        while self.shows() != there {
            assert!(begin.elapsed() < PATIENCE, "the screen did not change in {PATIENCE:?}");
            std::thread::sleep(LOOK_EVERY);
        }
        Instant::now()
    }
}
