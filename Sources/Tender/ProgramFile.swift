import Glibc

/// The program's file, open and found fit to be tried.
struct ProgramFile {
    var descriptor: Int32
    var size: UInt64

    /// Opens and checks a program of the host.
    ///
    /// - Parameter hasRoot: whether a root image brings the libraries of a dynamic program, and
    ///   the interpreter of a script.
    init(_ path: String, hasRoot: Bool) throws(LaunchFailure) {
        // Without O_NONBLOCK opening a named pipe would wait for its writer.
        descriptor = openFile(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .cannotRun(path, "\(lastErrorText()); check the file's permissions")
        }
        guard let status = fileStatus(descriptor) else {
            throw .cannotRun(path, lastErrorText())
        }
        guard !isKind(status, S_IFDIR) else {
            throw .cannotRun(path, "it is a directory; name the program in it")
        }
        guard isKind(status, S_IFREG) else {
            throw .cannotRun(path, "it is not a regular file; name a program's file")
        }
        guard access(path, X_OK) == 0 else {
            throw .cannotRun(path, "it is not executable; try chmod +x \(path)")
        }
        size = UInt64(max(status.st_size, 0))
        try Self.requireInterpreter(ProgramHeader(of: descriptor, named: path), path, hasRoot)
    }

    private static func requireInterpreter(
        _ header: ProgramHeader,
        _ path: String,
        _ hasRoot: Bool
    ) throws(LaunchFailure) {
        guard !hasRoot else { return }
        switch header.format {
        case .elf(interpreter: nil): return
        case .elf(.some(let interpreter)):
            throw .cannotRun(
                path,
                "it is dynamically linked and needs \(interpreter); link it with -static, or give "
                    + "a root that has its libraries with --rootfs DIR"
            )
        case .script(let interpreter):
            throw .cannotRun(
                path,
                "it is a script for \(interpreter), which is not in the guest; give a root that "
                    + "has it with --rootfs DIR, or run the interpreter's static binary"
            )
        }
    }
}
