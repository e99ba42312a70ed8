import Foundation
import Testing

/// `--core FILE`: what a stock gdb finds in the core.
@Suite(.enabled(if: Command.isBuilt && !Command.isNative && access("/usr/bin/gdb", X_OK) == 0))
struct CoreTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// The program under a name that a core holds in full, by which gdb knows it.
    private func build(_ library: CLibrary) throws -> String {
        let source = Program.folder.appendingPathComponent("hosts/crashes-among-threads.c")
        let built = try Build(program: Program(source: source), library: library).executable()
        try FileManager.default.copyItem(atPath: built.path, toPath: folder.path + "/program")
        return "./program"
    }

    private func run(_ program: String, _ options: [String], _ arguments: [String])
        throws -> Execution
    {
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + options + ["--", program] + arguments,
            environment: Command.environment,
            folder: folder.path,
            timeLimit: 60
        )
        #expect(!run.timedOut)
        return run
    }

    private func debug(_ program: String, _ commands: [String]) throws -> String {
        let gdb = try Execution.run(
            ["/usr/bin/gdb", "-nx", "-batch"] + commands.flatMap { ["-ex", $0] }
                + [program, folder.path + "/core"],
            environment: ["PATH=/usr/bin:/bin", "HOME=\(folder.path)"],
            folder: folder.path,
            timeLimit: 60
        )
        #expect(gdb.status == 0)
        #expect(!gdb.errorText.contains("warning: "), "\(gdb.errorText)")
        // As of the vDSO, where it is not in the core.
        #expect(!gdb.errorText.contains("Failed"), "\(gdb.errorText)")
        return gdb.outputText
    }

    @Test(arguments: CLibrary.allCases)
    func gdbFindsEveryThreadWhereItWas(library: CLibrary) throws {
        let program = try build(library)
        let run = try run(program, ["-q", "--core", "core"], [])
        #expect(run.status == 128 + SIGSEGV)
        #expect(run.errorText == "")

        let found = try debug(
            program,
            [
                "backtrace", "print/x $r12", "print $xmm9.v2_double", "print told",
                "print $_siginfo.si_signo", "print/x (long)$_siginfo._sifields._sigfault.si_addr",
                "thread apply all backtrace",
            ]
        )
        #expect(found.contains("Program terminated with signal SIGSEGV"), "\(found)")
        // The crash, the calls that led there, and main, in this order; gdb says the first twice.
        let frames = Array(found.split(separator: "\n").filter { $0.hasPrefix("#") }.dropFirst())
        let names = frames.prefix(5).map { $0.contains("crash_here (") ? 1 : 0 }
        #expect(names == [1, 1, 1, 1, 0], "\(found)")
        #expect(frames.count > 4 && frames[4].contains("main ("), "\(found)")
        #expect(found.contains("$1 = 0x1234567\n"), "\(found)")
        #expect(found.contains("$2 = {1.5, 2.5}\n"), "\(found)")
        #expect(found.contains("\"told by the core\""), "\(found)")
        #expect(found.contains("= 11\n"), "\(found)")
        #expect(found.contains("= 0x8\n"), "\(found)")
        // musl's own functions have nothing that leads out of them.
        let waiter = library == .glibc ? "wait_in_a_call (" : "pause ("
        #expect(found.contains(waiter), "\(found)")
        #expect(found.contains("compute_for_ever ("), "\(found)")
        #expect(found.split(separator: "\n").filter { $0.hasPrefix("Thread ") }.count == 3)
    }

    @Test func anAbortLeadsBackToMain() throws {
        let program = try build(.glibc)
        let run = try run(program, ["--core", "core"], ["aborts"])
        #expect(run.status == 128 + SIGABRT)
        let isQuiet = Command.options.contains("--quiet")
        let told = isQuiet ? "" : "unirun: \(program): its core is in core\n"
        #expect(run.errorText == told)
        let found = try debug(program, ["backtrace"])
        #expect(found.contains("SIGABRT"), "\(found)")
        let frames = found.split(separator: "\n").filter { $0.hasPrefix("#") }
        #expect(frames.contains { $0.contains("abort (") }, "\(found)")
        #expect(frames.last?.contains("main (") == true, "\(found)")
    }

    @Test func aProgramThatEndsWellLeavesNoFile() throws {
        let source = Program.folder.appendingPathComponent("start-static-pie.c")
        let program = try Build(program: Program(source: source), library: .glibc).executable()
        let run = try run(program.path, ["--core", "core"], [])
        #expect(run.status == 0)
        #expect(access(folder.path + "/core", F_OK) != 0)
    }

    @Test func aFileThatCannotBeWrittenIsRefusedBeforeTheStart() throws {
        let run = try run(try build(.musl), ["--core", folder.path + "/none/core"], [])
        #expect(run.status == 125)
        #expect(run.errorText.contains("cannot write a core"), "\(run.errorText)")
    }
}
