import Foundation
import Testing

/// Whatever goes wrong in a machine ends with a clear line and the right status, and in time.
@Suite(.enabled(if: Command.isBuilt && Command.isMachine)) struct MachineFaultTests {
    private func run(_ fault: String, _ options: [String] = []) throws -> Execution {
        let source = Program.folder.appendingPathComponent("faults/misbehaves.c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + options + ["--", built.path, fault],
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
        #expect(!run.timedOut)
        return run
    }

    // MARK: Memory

    @Test(arguments: ["touches", "reads-into", "touches-among-threads"])
    func aProgramThatTouchesMoreThanThereIsIsKilled(fault: String) throws {
        let run = try run(fault, ["-m", "48M"])
        #expect(run.status == 137)
        #expect(run.outputText == "begins\n")
        #expect(run.errorText.contains("killed: the program used more memory than there is"))
        #expect(run.errorText.split(separator: "\n").count == 1)
    }
}
