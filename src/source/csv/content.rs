//! The text of a file: unpacked if it is gzip, decoded from UTF-8, UTF-16 or Windows-1252, with `\n` after
//! each line, and of a bounded length. What is no text is refused by its name.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail, ensure};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::read::MultiGzDecoder;

use crate::output::within;
use crate::source::file_rows::PARQUET_MAGIC;

/// Ten years of minutes take half of it.
const MOST_BYTES: usize = 256 << 20;

/// A longer line is no row.
pub const LONGEST_LINE: usize = 1 << 20;

/// How long a pipe may take until its end: it may have none.
const PIPE_TIMEOUT: Duration = Duration::from_secs(20);

const GZIP: &[u8] = b"\x1f\x8b";

/// How files begin that are taken for CSV.
const OTHER_FORMATS: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd"),
    (b"\xfd7zXZ", "packed by xz"),
    (b"BZh", "packed by bzip2"),
    (b"\xff\xfe\0\0", "text in UTF-32"),
    (b"\0\0\xfe\xff", "text in UTF-32"),
];

/// The bytes of a file, unpacked if it is gzip.
pub fn read_unpacked(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_bytes(path)?;
    if bytes.starts_with(GZIP) {
        return read_bounded(MultiGzDecoder::new(&bytes[..])).context("unpack gzip");
    }
    Ok(bytes)
}

pub fn to_text(bytes: Vec<u8>) -> Result<String> {
    let is_other = |(start, _): &&(&[u8], &str)| bytes.starts_with(start);
    if let Some((_, name)) = OTHER_FORMATS.iter().find(is_other) {
        bail!("it is {name}; save it as CSV");
    }
    let text = with_plain_line_ends(decode(bytes)?);
    let lines = || text.split('\n').zip(1_u64..);
    if let Some((_, number)) = lines().find(|(line, _)| line.contains('\0')) {
        bail!("line {number}: there is a NUL byte; it is no text; save it as CSV");
    }
    if let Some((_, number)) = lines().find(|(line, _)| line.len() > LONGEST_LINE) {
        bail!("line {number} is longer than 1 MiB; is it CSV?");
    }
    let mut start = text.chars().filter(|letter| !letter.is_whitespace());
    let name = match (start.next(), start.next()) {
        (Some('<'), _) => "HTML or XML",
        (Some('{'), _) | (Some('['), Some('{' | '[')) => "JSON",
        _ => return Ok(text),
    };
    bail!("it is {name}; save it as CSV")
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() {
        return read_bounded(File::open(path)?);
    }
    read_pipe(path, PIPE_TIMEOUT)
}

/// Even to open a pipe may take for ever.
fn read_pipe(path: &Path, timeout: Duration) -> Result<Vec<u8>> {
    let pipe = path.to_path_buf();
    let read = within(timeout, || {
        File::open(pipe).map_err(Error::from).and_then(read_bounded)
    });
    read.with_context(|| {
        let seconds = timeout.as_secs();
        format!("it is no file, and did not end within {seconds} s; write its rows to a file first")
    })?
}

fn read_bounded(mut reader: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut read = |bytes: &mut Vec<u8>, length: usize| {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        reader.by_ref().take(length).read_to_end(bytes)
    };
    let length = read(&mut bytes, LONGEST_LINE)?;
    let has_lines = bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
    ensure!(
        has_lines || bytes.starts_with(PARQUET_MAGIC) || length < LONGEST_LINE,
        "line 1 is longer than 1 MiB; is it CSV?"
    );
    read(&mut bytes, MOST_BYTES)?;
    ensure!(
        bytes.len() <= MOST_BYTES,
        "it is larger than 256 MiB; keep only the columns and the time that are needed"
    );
    Ok(bytes)
}

/// By the byte order mark if there is one, else by what the bytes can be.
fn decode(bytes: Vec<u8>) -> Result<String> {
    let marked = Encoding::for_bom(&bytes);
    let unmarked = match bytes[..] {
        [0, _, ..] => Some((UTF_16BE, 0)),
        [_, 0, ..] => Some((UTF_16LE, 0)),
        _ => None,
    };
    if let Some((encoding, mark_length)) = marked.or(unmarked) {
        let text = &bytes[mark_length..];
        let text = encoding.decode_without_bom_handling_and_without_replacement(text);
        let name = encoding.name();
        let text =
            text.with_context(|| format!("it begins as {name}, but is not; save it as UTF-8"));
        return Ok(text?.into_owned());
    }
    // Of the encodings with one byte a letter this is the usual one; digits are the same in all.
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
        text.into_owned()
    }))
}

fn with_plain_line_ends(text: String) -> String {
    if text.contains('\r') {
        return text.replace("\r\n", "\n").replace('\r', "\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;
    use std::thread;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), bytes).expect("written");
        to_text(read_unpacked(file.path())?)
    }

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(bytes).expect("packed");
        packer.finish().expect("packed")
    }

    #[test]
    fn text_is_read_in_its_encoding() {
        let text = "Zeit;Betrag €\n";
        let little = || text.encode_utf16().flat_map(u16::to_le_bytes);
        let big = || text.encode_utf16().flat_map(u16::to_be_bytes);
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            little().collect(),
            [0xff, 0xfe].into_iter().chain(little()).collect(),
            big().collect(),
            [0xfe, 0xff].into_iter().chain(big()).collect(),
            b"Zeit;Betrag \x80\n".to_vec(),
            b"Zeit;Betrag \x80\r\n".to_vec(),
            b"Zeit;Betrag \x80\r".to_vec(),
        ] {
            assert_eq!(read(&bytes).expect("a text"), text, "{bytes:?}");
            assert_eq!(read(&pack(&bytes)).expect("a text"), text, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_by_its_name() {
        for (bytes, told) in [
            (
                &b"PK\x03\x04..."[..],
                "it is an Excel workbook (.xlsx) or a ZIP",
            ),
            (
                b"\xff\xfe\0\0t\0\0\0",
                "it is text in UTF-32; save it as CSV",
            ),
            (b"\xff\xfet\0\0\xd8", "it begins as UTF-16LE, but is not"),
            (b"\xef\xbb\xbft,v\xff", "it begins as UTF-8, but is not"),
            (b"t,v\n1\0,2\n", "line 2: there is a NUL byte"),
            (b" [\n{\"t\": 1}]", "it is JSON; save it as CSV"),
            (b"<table><tr>", "it is HTML or XML; save it as CSV"),
        ] {
            let error = read(bytes).expect_err(told).to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let packed = pack(b"t,v\n");
        let error = read(&packed[..packed.len() - 3]).expect_err("cut off");
        assert!(error.to_string().starts_with("unpack gzip"), "{error}");
    }

    #[test]
    fn what_is_too_long_or_endless_is_refused_whether_packed_or_not() {
        let long = vec![b'7'; LONGEST_LINE + 1];
        let told = |bytes: &[u8]| format!("{:#}", read(bytes).expect_err("too long"));
        assert_eq!(told(&long), "line 1 is longer than 1 MiB; is it CSV?");
        let later = [b"t,v\n", &long[..]].concat();
        assert_eq!(told(&later), "line 2 is longer than 1 MiB; is it CSV?");
        let packed = "unpack gzip: line 1 is longer than 1 MiB; is it CSV?";
        assert_eq!(told(&pack(&long)), packed);
        let told = |bytes| read_bounded(bytes).expect_err("too long").to_string();
        let lines = std::io::repeat(b'\n');
        assert!(told(lines).starts_with("it is larger than 256 MiB"));
        let error = read_unpacked(Path::new("/dev/zero")).expect_err("no end");
        assert!(error.to_string().starts_with("line 1 is longer than"));
    }

    #[test]
    fn a_pipe_is_read_if_it_ends() {
        let dir = tempfile::tempdir().expect("a directory");
        let [pipe, silent] = ["pipe", "silent"].map(|name| dir.path().join(name));
        let made = Command::new("mkfifo").args([&pipe, &silent]).status();
        assert!(made.is_ok_and(|status| status.success()));
        let writer = pipe.clone();
        let writer = thread::spawn(|| fs::write(writer, "t,v\n"));
        let bytes = read_pipe(&pipe, Duration::from_mins(1)).expect("bytes");
        assert_eq!(bytes, b"t,v\n");
        writer.join().expect("no panic").expect("written");
        let error = read_pipe(&silent, Duration::from_millis(1)).expect_err("no writer");
        let told = "it is no file, and did not end within 0 s";
        assert!(error.to_string().starts_with(told), "{error}");
    }
}
