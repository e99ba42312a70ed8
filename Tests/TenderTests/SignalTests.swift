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
