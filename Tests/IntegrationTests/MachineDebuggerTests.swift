import Foundation
import Testing

/// `--gdb` in a machine: gdb attaches by the script, and stops in the kernel and in the program.
@Suite(.enabled(if: Command.isBuilt && Command.isMachine && access("/usr/bin/gdb", X_OK) == 0))
struct MachineDebuggerTests {
    private static func program() throws -> String {
        let source = Program.folder.appendingPathComponent("faults/misbehaves.c")
        return try Build(program: Program(source: source), library: .glibc).executable().path
    }

    @Test func gdbStopsInTheKernelAndInTheProgram() throws {
        let scratch = try ScratchFolder()
        let (output, error) = (scratch.path + "/out", scratch.path + "/err")
        let process = try Execution.start(
            [Command.path, "run"] + Command.options + ["--gdb", "--", Self.program(), "returns"],
            environment: Command.environment,
            folder: "/",
            descriptors: [
                ("/dev/null", O_RDONLY), (output, O_WRONLY | O_CREAT), (error, O_WRONLY | O_CREAT),
            ]
        )
        let script = try waitForScript(error)
        let gdb = try Execution.run(
            [
                "/usr/bin/gdb", "-nx", "-batch", "-x", script,
                "-ex", "tbreak machine_interrupt", "-ex", "continue", "-ex", "backtrace 1",
                "-ex", "tbreak main", "-ex", "continue", "-ex", "backtrace 1", "-ex", "detach",
            ],
            environment: Command.environment,
            timeLimit: 60
        )
        let status = try Execution.wait(for: process, timeLimit: ProgramTests.timeLimit)
        #expect(status == 0)
        #expect(try String(contentsOfFile: output, encoding: .utf8) == "begins\ngoes on\n")
        let stops = gdb.outputText.split(separator: "\n").filter { $0.hasPrefix("#0 ") }
        #expect(stops.count == 2, "\(gdb.outputText)\(gdb.errorText)")
        #expect(stops.first?.contains("nterrupt") == true)
        #expect(stops.last?.contains("main (") == true)
        #expect(access(script, F_OK) != 0)
    }

    /// What the command says of it ends with the script's path.
    private func waitForScript(_ error: String) throws -> String {
        let deadline = Date(timeIntervalSinceNow: ProgramTests.timeLimit)
        while Date() < deadline {
            let text = try String(contentsOfFile: error, encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            if let line = lines.first(where: { $0.contains("gdb -x ") }) {
                return String(try #require(line.split(separator: " ").last))
            }
            usleep(20_000)
        }
        throw BuildFailure(description: "the command does not say how to attach gdb")
    }

    @Test func aPortThatIsTakenIsTold() throws {
        let taken = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(taken) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &address) { bytes in
            let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            _ = bind(taken, pointer, size)
            _ = getsockname(taken, pointer, &size)
        }
        #expect(listen(taken, 1) == 0)
        let port = UInt16(bigEndian: address.sin_port)
        let run = try Execution.run(
            [Command.path, "run"] + Command.options
                + ["--gdb", "\(port)", "--", Self.program(), "returns"],
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
        #expect(run.status == 125)
        #expect(run.errorText.hasPrefix("unirun: cannot wait for gdb on port \(port): "))
        #expect(run.errorText.split(separator: "\n").count == 1, "\(run.errorText)")
    }
}
