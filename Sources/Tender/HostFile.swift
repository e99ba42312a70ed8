import Glibc

/// Opens a file of the host, close-on-exec; -1 with `errno` set when that fails.
func openFile(_ path: String, _ flags: Int32, mode: mode_t = 0) -> Int32 {
    open(path, flags | O_CLOEXEC, mode)
}

/// Reads a whole small file; `nil` with `errno` set when that fails.
func readFile(_ path: String) -> [UInt8]? {
    let descriptor = openFile(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return readAll(descriptor)
}

func readTextFile(_ path: String) -> String? {
    readFile(path).map { String(decoding: $0, as: UTF8.self) }
}

/// Reads from the descriptor's offset to the end.
func readAll(_ descriptor: Int32) -> [UInt8]? {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 {
            if errno == EINTR { continue }
            return nil
        }
        if count == 0 { return content }
        content += chunk[..<count]
    }
}

/// Writes all of it, or returns false with `errno` set.
func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
        let count = write(descriptor, rest.baseAddress, rest.count)
        if count < 0 {
            if errno == EINTR { continue }
            return false
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return true
}

/// Copies all of an open file to where another one is; its bytes, nil with `errno` set when some were
/// not copied.
func copyWhole(_ file: Int32, to target: Int32) -> UInt64? {
    guard let status = fileStatus(file) else { return nil }
    var offset: off_t = 0
    while offset < status.st_size {
        let copied = sendfile(target, file, &offset, Int(status.st_size - offset))
        if copied < 0 && errno == EINTR { continue }
        guard copied > 0 else { return nil }
    }
    return UInt64(status.st_size)
}

/// The status of an open file; `nil` when the descriptor is closed.
func fileStatus(_ descriptor: Int32) -> stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
}

func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
}

func isKind(_ status: stat, _ kind: mode_t) -> Bool { status.st_mode & S_IFMT == kind }

/// The path without symbolic links; nil where nothing is there.
func absolutePath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
