import Foundation
import Testing

/// What processes of a program do that a native run does not show.
@Suite(.serialized, .enabled(if: Command.isBuilt && !Command.isNative)) struct ProcessTests {
    private func run(_ name: String, _ arguments: [String] = [], options: [String] = []) throws
        -> Execution
    {
        let source = Program.folder.appendingPathComponent("processes/\(name).c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        return try Execution.run(
            [Command.path, "run"] + Command.options + options + ["--", built.path] + arguments,
            environment: Command.environment,
            timeLimit: 60
        )
    }

    @Test func aDaemonKeepsTheInstanceAndTheProgramItsStatus() throws {
        let run = try run("daemon")
        #expect(run.outputText == "program: ends\ndaemon: still there\n")
        #expect(run.status == 3)
    }

    /// timeout(1) sends SIGTERM and SIGCONT to the command and to its group: four signals within
    /// microseconds, some of which find the handlers of others at work.
    @Test(.enabled(if: !Command.isMachine))
    func signalsInABurstEndAProgramThatComputes() throws {
        let source = Program.folder.appendingPathComponent("hosts/computes-beside-a-sleeper.c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        for _ in 0..<20 {
            let run = try Execution.run(
                ["/usr/bin/timeout", "-k", "5", "0.2", Command.path, "run", "--", built.path],
                environment: Command.environment,
                timeLimit: 20
            )
            // 137 when the second signal, SIGKILL, was needed.
            #expect(run.status == 124)
        }
    }

    @Test(.enabled(if: !Command.isMachine))
    func memoryThatChildrenShareCountsOnce() throws {
        let run = try run("fills-memory", ["64"], options: ["-m", "192M"])
        #expect(run.outputText == "shared: fits\n")
        #expect(run.status == 137)
        #expect(run.errorText.contains("more memory than --memory 192M allows"))
    }
}
