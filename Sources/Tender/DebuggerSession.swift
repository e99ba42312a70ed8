import Glibc

/// A gdb script for an instance that waits at its kernel's first instruction.
struct DebuggerSession {
    var kernel: pid_t
    var image: String
    /// The program's file on the host, if it is there.
    var program: String?

    /// Writes the script; what to tell the user.
    func announce() throws(LaunchFailure) -> String {
        guard let file = fopen(path, "wxe") else {
            throw LaunchFailure("cannot write \(path): \(lastErrorText()); set TMPDIR")
        }
        fputs(script, file)
        fclose(file)
        return "waits for a debugger; in another terminal: gdb -x \(path)"
    }

    func remove() { unlink(path) }

    private var path: String {
        "\(hostVariable("TMPDIR") ?? "/tmp")/unirun-\(kernel).gdb"
    }

    /// With symbols of both: calls of the program are caught by SIGSYS, the kernel's timer and
    /// program faults are signals too, none of them a reason to stop.
    private var script: String {
        var lines = [
            "set breakpoint pending on",
            "handle SIGSYS nostop noprint pass",
            "handle SIGALRM nostop noprint pass",
            "handle SIG34 nostop noprint pass",
            "file \(quoted(symbols))",
        ]
        if let program { lines.append("add-symbol-file \(quoted(absolute(program)))") }
        lines.append("attach \(kernel)")
        // It waits in a stop of its own, which is not the program's.
        lines.append("handle SIGSTOP nostop noprint nopass")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The image's symbols may have been split off.
    private var symbols: String {
        let separate = image + ".debug"
        return absolute(access(separate, R_OK) == 0 ? separate : image)
    }

    private func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func quoted(_ path: String) -> String {
        path.contains(where: { " \"\\".contains($0) })
            ? "\"" + path.map { "\"\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
            : path
    }
}
