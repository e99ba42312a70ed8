import Foundation
import TenderTestSupport
import Testing

/// The command as a job of a shell on a terminal.
final class TerminalJob {
    private var job = test_job()
    let events: LineReader
    let screen: LineReader
    private let folder: TemporaryFolder
    /// `unirun`'s.
    let process: pid_t

    init(_ arguments: [String]) throws {
        folder = try TemporaryFolder()
        let command = [CommandFixture.command, try folder.addProgram()] + arguments
        var given = command.map { strdup($0) } + [nil]
        var variables = CommandFixture.environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (given + variables).forEach { free($0) } }
        guard test_start_job(&given, &variables, &job) == 0 else { throw POSIXError(.EIO) }
        events = LineReader(job.events)
        screen = LineReader(job.terminal)
        process = pid_t(try events.next().dropFirst(4)) ?? 0
    }

    deinit {
        kill(job.shell, SIGKILL)
        close(job.terminal)
        waitpid(job.shell, nil, 0)
        close(job.events)
        close(job.commands)
    }

    func type(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(job.terminal, $0.baseAddress, $0.count) }
    }

    func resume() { _ = write(job.commands, "f", 1) }

    var localModes: tcflag_t {
        var attributes = termios()
        tcgetattr(job.terminal, &attributes)
        return attributes.c_lflag
    }

    func setSize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(job.terminal, UInt(TIOCSWINSZ), &size)
    }
}

@Suite(.serialized)
struct TerminalTests {
    @Test func theTerminalsSignalsComeFromTheHostAndOnce() throws {
        let job = try TerminalJob(["signals"])
        #expect(try job.screen.next().hasPrefix("ready"))
        job.type("\u{3}")
        #expect(try job.screen.next() == "^C\(SIGINT) host")
        job.type("\u{1c}")
        #expect(try job.screen.next() == "^\\\(SIGQUIT) host")
        job.setSize(rows: 50, columns: 100)
        #expect(try job.screen.next() == "\(SIGWINCH) host")
        kill(job.process, SIGTERM)
        #expect(try job.screen.next() == "\(SIGTERM) parent")
        #expect(try job.events.next() == "exited 0")
    }

    @Test(arguments: [SIGTSTP, SIGSTOP, SIGTTIN])
    func aStoppedProgramIsAStoppedJobUntilItIsContinued(signal: Int32) throws {
        let job = try TerminalJob(["ask", "3", "0", "\(signal)"])
        #expect(try job.events.next() == "stopped \(signal)")
        job.resume()
        #expect(try job.screen.next() == "0 0 0")
        #expect(try job.events.next() == "exited 0")
    }

    @Test func theProgramSeesTheTerminal() throws {
        let size = try TerminalJob(["ask", "1", "0", "0x5413"])
        #expect(try size.screen.next() == "0 0 0")
        let groups = try TerminalJob(["ask", "1", "0", "0x540f"])
        #expect(try groups.screen.next() == "0 \(groups.process) \(groups.process)")
    }

    @Test func aProgramThatDiesLeavesTheTerminalAsItWas() throws {
        let job = try TerminalJob(["terminal", "143"])
        #expect(try job.events.next() == "exited 143")
        #expect(job.localModes & tcflag_t(ECHO | ICANON) == tcflag_t(ECHO | ICANON))
    }

    @Test func aProgramThatEndsLeavesTheTerminalAsItWants() throws {
        let job = try TerminalJob(["terminal", "0"])
        #expect(try job.events.next() == "exited 0")
        #expect(job.localModes & tcflag_t(ECHO | ICANON) == 0)
    }
}
