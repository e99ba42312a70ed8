import Foundation
import Testing

/// Signals sent to the command by processes.
struct SignalTests {
    private func start(_ folder: TemporaryFolder) throws -> (Process, LineReader) {
        let process = CommandFixture.process([try folder.addProgram(), "signals"])
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let lines = LineReader(dup(output.fileHandleForReading.fileDescriptor))
        #expect(try lines.next() == "ready \(process.processIdentifier)")
        return (process, lines)
    }

    @Test func signalsOfProcessesReachTheProgramThroughUnirun() throws {
        let (process, lines) = try start(TemporaryFolder())
        let signals = [
            SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT, SIGTSTP, SIGURG,
            SIGABRT, 40,
        ]
        for signal in signals {
            kill(process.processIdentifier, signal)
            #expect(try lines.next() == "\(signal) parent")
        }
        kill(process.processIdentifier, SIGTERM)
        #expect(try lines.next() == "\(SIGTERM) parent")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func theKernelDiesWithUnirun() throws {
        let (process, lines) = try start(TemporaryFolder())
        kill(process.processIdentifier, SIGKILL)
        // The pipe ends when the kernel, its last writer, is gone.
        #expect(throws: POSIXError(.EPIPE)) { try lines.next() }
        process.waitUntilExit()
    }
}

/// `--gdb`: the kernel waits before its first instruction for a debugger that reads the script.
struct DebuggerTests {
    @Test func theKernelWaitsForADebuggerThatReadsTheScript() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let process = CommandFixture.process(
            ["--gdb", program, "exit", "3"],
            ["TMPDIR": folder.path]
        )
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let lines = LineReader(dup(errors.fileHandleForReading.fileDescriptor))
        let path = try #require(lines.next().split(separator: " ").last.map(String.init))
        let script = try String(contentsOfFile: path, encoding: .utf8)
        #expect(script.contains("handle SIGSYS nostop noprint pass\n"))
        #expect(script.contains("file \(CommandFixture.fakeKernel)\n"))
        #expect(script.contains("add-symbol-file \(program)\n"))
        let attach = try #require(script.split(separator: "\n").first { $0.hasPrefix("attach ") })
        let kernel = try #require(pid_t(attach.dropFirst(7)))
        #expect(
            try String(contentsOfFile: "/proc/\(kernel)/stat", encoding: .utf8).contains(") T ")
        )
        kill(kernel, SIGCONT)
        process.waitUntilExit()
        #expect(process.terminationStatus == 3)
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
