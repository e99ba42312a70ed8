import Glibc

/// A gdb script for an instance that waits at its kernel's first instruction.
struct DebuggerSession {
    /// The kernel's process, or that of its machine.
    var kernel: pid_t
    /// Where the machine's QEMU listens for gdb, on this host only; nil for a process.
    var port: UInt16?
    var image: String
    /// The program's file on the host, if it is there.
    var program: ProgramFile?

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

    /// With symbols of both. It goes on until the program is in place, where breakpoints in it can
    /// be set: the kernel's way into the program, with its first registers on the stack.
    private var script: String {
        var lines = ["set breakpoint pending on", "file \(quoted(symbols))"]
        lines += port.map(machineLines) ?? processLines
        lines.append("continue")
        if let program { lines += symbols(of: program) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Calls of the program are caught by SIGSYS, the kernel's timer and program faults are signals
    /// too, none of them a reason to stop.
    private var processLines: [String] {
        [
            "handle SIGSYS nostop noprint pass",
            "handle SIGALRM nostop noprint pass",
            "handle SIG34 nostop noprint pass",
            "attach \(kernel)",
            // It waits in a stop of its own, which is not the program's.
            "handle SIGSTOP nostop noprint nopass",
            "tbreak *frame_leave",
        ]
    }

    /// The machine waits before its first instruction, with nothing mapped where the kernel will be.
    private func machineLines(_ port: UInt16) -> [String] {
        ["set confirm off", "target remote 127.0.0.1:\(port)", "thbreak *frame_leave"]
    }

    /// A position-independent program lies where its first instruction tells.
    private func symbols(of program: ProgramFile) -> [String] {
        let file = quoted(absolute(program.path))
        guard let entry = program.relativeEntry else { return ["add-symbol-file \(file)"] }
        let instructionPointer = "*(unsigned long *)($rsp + 128)"
        return [
            "set $bias = \(instructionPointer) - \(entry)", "add-symbol-file \(file) -o $bias",
        ]
    }

    private var symbols: String { absolute(KernelImage.symbols(of: image)) }

    private func absolute(_ path: String) -> String { absolutePath(path) ?? path }

    private func quoted(_ path: String) -> String {
        path.contains(where: { " \"\\".contains($0) })
            ? "\"" + path.map { "\"\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
            : path
    }
}
